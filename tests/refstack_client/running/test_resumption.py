"""Which request a run is resumed with, and what is refused."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from support.making import make_run

from refstack_client.cloud.selection import CloudSelection
from refstack_client.errors import InputError, UsageError
from refstack_client.outcomes import run_directory
from refstack_client.outcomes.redaction import HIDDEN
from refstack_client.outcomes.run_attempts import Mode
from refstack_client.planning.selection import Shard
from refstack_client.planning.workers import Workers
from refstack_client.running.resume import Options, Resumption, request_of
from refstack_client.tempest.settings import Setting

OPTIONS = Options(Path())


@pytest.fixture
def resumed(tmp_path: Path) -> Resumption:
    return Resumption(make_run(tmp_path / "runs", shard=Shard(1, 2)))


def record(resumed: Resumption, **options: object) -> None:
    """Write other options into the request of the run."""
    path = resumed.run.request
    path.write_text(json.dumps({**json.loads(path.read_text()), **options}))


def test_a_run_is_resumed_with_its_own_options_unless_others_are_given(resumed):
    record(
        resumed,
        os_cloud="mycloud",
        accounts="/a.yaml",
        settings=["compute.build_interval=2"],
        quick=True,
    )
    request = request_of(resumed, OPTIONS)
    assert (request.programme.key, str(request.shard)) == ("storage", "1/2")
    assert request.programme.guideline.id == "2020.06"
    assert (request.cloud.name, request.accounts_file) == ("mycloud", Path("/a.yaml"))
    assert (request.settings, request.quick) == ((("compute", "build_interval", "2"),), True)
    assert request.workers is None
    given = replace(
        OPTIONS,
        cloud=CloudSelection("other"),
        workers=Workers(3),
        settings=[Setting("d", "e", "f")],
    )
    request = request_of(resumed, given)
    assert (request.cloud.name, request.workers, request.settings) == (
        "other",
        Workers(3),
        [("d", "e", "f")],
    )


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("guideline", "2019.11", r"is a run of guideline 2020\.06 \(\w+\), not of 2019\.11"),
        ("programme", "compute", "is a run of storage, not of compute"),
        ("shard", "2/2", "is a run of shard 1/2, not of shard 2/2"),
    ],
)
def test_another_guideline_programme_or_part_is_refused(resumed, option, value, message):
    with pytest.raises(InputError, match=message) as raised:
        request_of(resumed, replace(OPTIONS, **{option: value}))
    assert raised.value.hint == f"leave out --{option}, or start a new run"


def test_the_same_guideline_programme_and_part_may_be_named(resumed):
    same = replace(OPTIONS, guideline="2020.06", programme="storage", shard="1/2")
    assert request_of(resumed, same).programme.key == "storage"


def test_failed_tests_run_again_as_often_as_the_budget_allows(resumed):
    again = replace(resumed, mode=Mode.FAILED)
    assert request_of(again, OPTIONS).programme.key == "storage"
    with pytest.raises(UsageError, match="run again 0 times and the retry budget is 0"):
        request_of(replace(again, retry_budget=0), OPTIONS)


def test_a_secret_setting_is_given_again(resumed):
    record(resumed, settings=[f"identity.admin_password={HIDDEN}", "a.b=c"])
    with pytest.raises(UsageError, match="secret settings") as raised:
        request_of(resumed, OPTIONS)
    assert "--set identity.admin_password, a.b" in raised.value.hint
    again = replace(OPTIONS, settings=[Setting("a", "b", "c")])
    assert request_of(resumed, again).settings == [("a", "b", "c")]


def test_a_directory_that_is_not_a_run_is_refused(tmp_path, resumed):
    with pytest.raises(InputError):
        request_of(Resumption(run_directory.Run(tmp_path / "absent")), OPTIONS)
