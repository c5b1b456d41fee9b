"""Values of tempest.conf that a user sets."""

from collections.abc import Sequence
from typing import NamedTuple

from refstack_client.errors import UsageError
from refstack_client.outcomes.redaction import HIDDEN
from refstack_client.tempest import option_names

_SIGNS_OF_SECRETS = ("password", "secret", "token")


LOG_IN_TO_GUESTS = "validation.run_validation=true"
"""The setting with which the tests run that log in to a guest."""


class Setting(NamedTuple):
    """A value of tempest.conf: section, option, value. ``repr`` hides the value of a secret."""

    section: str
    option: str
    value: str

    @property
    def is_secret(self) -> bool:
        """Return whether the value must not be shown."""
        return is_secret(self.option)

    def __str__(self) -> str:
        """Return ``section.option=value``, the value of a secret hidden."""
        return f"{self.section}.{self.option}={HIDDEN if self.is_secret else self.value}"

    def __repr__(self) -> str:
        """Return the class and :meth:`__str__`."""
        return f"Setting({self})"


def parse_settings(texts: Sequence[str]) -> tuple[Setting, ...]:
    """Read settings of the form ``section.option=value``, from ``--set`` or clouds.yaml.

    :raises UsageError: one has another form, Tempest has no such option, or there is no list
    """
    if isinstance(texts, str):
        raise UsageError(f"tempest in clouds.yaml: expected a list, not {texts}")
    return tuple(map(_parse, texts))


def _parse(text: str) -> Setting:
    name, equals, value = text.partition("=")
    section, dot, option = name.rpartition(".")
    if not (equals and dot and section and option):
        raise UsageError(
            f"{text}: expected section.option=value",
            hint="for example --set object-storage.operator_role=swiftoperator",
        )
    setting = Setting(section.strip(), option.strip(), value.strip())
    option_names.check(setting.section, setting.option)
    return setting


def is_secret(option: str) -> bool:
    """Return whether an option of tempest.conf is a secret, by its name as Tempest has it."""
    return any(sign in option.lower() for sign in _SIGNS_OF_SECRETS)
