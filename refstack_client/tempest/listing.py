"""What an installed Tempest has to offer."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from capabilities.guideline import Test
from capabilities.matching import Index


@dataclass(frozen=True)
class Listing:
    """Its tests, its version and its plugins' by distribution, and the modules it cannot import.

    ``broken`` maps a module to the last line of what importing it said; ``assumed`` is a list that
    was made under another configuration.
    """

    index: Index
    versions: Mapping[str, str]
    broken: Mapping[str, str] = field(default_factory=dict)
    assumed: bool = False

    def broken_module(self, test: Test) -> str | None:
        """Return the broken module a test would be in."""
        return next((module for module in self.broken if test.name.startswith(f"{module}.")), None)
