"""What a choice among the resources of a cloud consists of: pins, settings and remarks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from refstack_client.errors import CloudError
from refstack_client.tempest.settings import Setting


@dataclass(frozen=True)
class Pins:
    """The ids and names that the user sets, by option of a section of tempest.conf."""

    section: str
    ids: Mapping[str, str]

    @classmethod
    def of(cls, section: str, settings: Sequence[Setting]) -> "Pins":
        """Return the settings of a section; the last of several values of an option wins."""
        return cls(section, {one.option: one.value for one in settings if one.section == section})

    def error(self, option: str, reason: str, hint: str) -> CloudError:
        """Return the error that a named resource cannot be used."""
        return CloudError(f"{self.section}.{option}={self.ids[option]}: {reason}", hint=hint)


@dataclass(frozen=True)
class Remark:
    """What is worth knowing about a choice: tests that cannot pass with it, or a rare kind.

    :param option: section and option, ``compute.flavor_ref``
    """

    option: str
    message: str
    hint: str
