"""The tests that an installed Tempest offers."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from capabilities.guideline import Test
from capabilities.matching import Index


@dataclass(frozen=True)
class Listing:
    """The tests of an installed Tempest.

    :param index: the tests
    :param versions: of Tempest and its plugins, by distribution
    :param broken: the last line of the traceback, by module that cannot be imported
    :param assumed: the list is of another configuration, under which attributes may differ
    """

    index: Index
    versions: Mapping[str, str]
    broken: Mapping[str, str] = field(default_factory=dict)
    assumed: bool = False

    def broken_module(self, test: Test) -> str | None:
        """Return the broken module that would contain a test; None if it is not broken."""
        return next((module for module in self.broken if test.name.startswith(f"{module}.")), None)
