"""Exit codes belong to classes of errors and to verdicts."""

import pytest

from capabilities.errors import GuidelineError, ProblemError, UnknownNameError
from refstack_client.cli import exit_codes
from refstack_client.errors import ClientError, CloudError, InputError, MachineError, UsageError
from scoring.conformance.verdict import Conformance
from scoring.errors import ScoringError


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (UsageError, 2),
        (InputError, 4),
        (GuidelineError, 4),
        (UnknownNameError, 4),
        (ScoringError, 4),
        (CloudError, 5),
        (MachineError, 5),
        (ClientError, 5),
        (ProblemError, 5),
    ],
)
def test_an_error_has_the_exit_code_of_its_class(error, code):
    assert exit_codes.of_error(error("why")) == code


def test_a_subclass_has_the_exit_code_of_its_nearest_base():
    class MissingFileError(InputError):
        pass

    assert exit_codes.of_error(MissingFileError("why")) == 4


def test_every_verdict_on_a_whole_run_has_an_exit_code():
    of_a_run = set(Conformance) - {Conformance.VACUOUS}  # which only a capability can be
    assert set(exit_codes.OF_CONFORMANCE) == of_a_run
    assert len(set(exit_codes.OF_CONFORMANCE.values())) == len(of_a_run)
