"""The result of one check of a cloud before a certification."""

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """The outcome of a check; a problem keeps tests from passing."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"


@dataclass(frozen=True)
class Check:
    """The result of a check.

    :param found: the finding, for people
    :param remedy: what to do about a warning or problem; "" otherwise
    :param tests: names of the tests that a problem keeps from passing
    """

    name: str
    level: Level
    found: str
    remedy: str = ""
    tests: tuple[str, ...] = ()
