"""The checks of a bundle: each answers a part of one of four questions, with a reason."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from capabilities.errors import GuidelineError
from refstack_client.bundle.contents import Bundle
from refstack_client.errors import ClientError

OTHER_SHAPE = (
    AttributeError,
    IndexError,
    KeyError,
    OverflowError,
    RecursionError,
    TypeError,
    ValueError,
)
"""The errors of code that reads a document of another form."""


class Question(StrEnum):
    """What a certifier asks of a bundle."""

    INTACT = "intact"
    """Are these the bytes that the signer signed?"""
    CONSISTENT = "consistent"
    """Do its parts state the same?"""
    GENUINE = "genuine tests"
    """Did the tests of the guideline run?"""
    FIT = "fit to certify"
    """Did they run as a certification requires?"""


class State(StrEnum):
    """The result of a check."""

    PASS = "pass"  # noqa: S105 - not a password
    FAIL = "fail"
    UNKNOWN = "unknown"
    """The bundle does not contain what would show it."""


@dataclass(frozen=True)
class Check:
    """One check, its result, and a sentence on that."""

    question: Question
    name: str
    state: State
    found: str

    @property
    def passed(self) -> bool:
        """Return whether nothing speaks against it."""
        return self.state is not State.FAIL


class CheckFailedError(Exception):
    """A check failed, for the reason in the message."""


class UnknownError(Exception):
    """A bundle does not contain what would show it; the message names what is missing."""


Checks = Mapping[str, Callable[[Bundle], str]]
"""Functions that return a sentence, or raise one of the errors above, by the name of the check."""


def results(bundle: Bundle, question: Question, checks: Checks) -> Iterator[Check]:
    """Yield the result of each check."""
    for name, look in checks.items():
        try:
            yield Check(question, name, State.PASS, look(bundle))
        except UnknownError as error:
            yield Check(question, name, State.UNKNOWN, str(error))
        except (CheckFailedError, ClientError, GuidelineError) as error:
            yield Check(question, name, State.FAIL, str(error))
        except OTHER_SHAPE as error:
            found = f"unexpected form: {type(error).__name__}: {error}"
            yield Check(question, name, State.FAIL, found)
