"""Which sections and options of tempest.conf Tempest and its installed plugins have.

They register them as oslo.config does: by entry points, which are loaded only when a setting is to
be checked, because that takes half a second.
"""

import difflib
import functools
from collections.abc import Iterable, Mapping
from importlib import metadata
from typing import Any

from refstack_client.errors import UsageError

_ENTRY_POINTS = "oslo.config.opts"
_LIBRARIES = ("tempest.config", "oslo.log", "oslo.concurrency")
_DEFAULT = "DEFAULT"


def check(section: str, option: str) -> None:
    """Check that there is an option of a section; deprecated names are accepted.

    :raises UsageError: there is no such section or option; the hint has the nearest name
    """
    names = _names()
    if section not in names:
        raise UsageError(
            f"{section}.{option}: Tempest and its installed plugins have no section {section}",
            hint=_hint(section, names, f"the sections are {', '.join(sorted(names))}"),
        )
    if option not in names[section]:
        elsewhere = sorted(other for other, options in names.items() if option in options)
        more = f"; it is in {' and in '.join(elsewhere)}" if elsewhere else ""
        raise UsageError(
            f"{section}.{option}: the section {section} of Tempest has no option {option}{more}",
            hint=_hint(option, names[section], "see the configuration reference of Tempest"),
        )


def _hint(name: str, names: Iterable[str], otherwise: str) -> str:
    near = difflib.get_close_matches(name, list(names), n=1)
    return f"did you mean {near[0]}?" if near else otherwise


@functools.cache
def _names() -> Mapping[str, frozenset[str]]:
    """Return the names of all options, also deprecated ones, by section."""
    names: dict[str, set[str]] = {}
    for library in _LIBRARIES:
        (entry_point,) = metadata.entry_points(group=_ENTRY_POINTS, name=library)
        for group, options in entry_point.load()():
            section = _section(group)
            for option in options:
                names.setdefault(section, set()).add(option.dest)
                for old in option.deprecated_opts:
                    # A deprecated name without a group is of the same section.
                    old_section = old.group or section
                    names.setdefault(old_section, set()).add(old.name or option.dest)
    return {section: frozenset(options) for section, options in names.items()}


def _section(group: Any) -> str:
    """Return the name of a group of oslo.config: None, a text, or an object with a name."""
    return str(getattr(group, "name", group) or _DEFAULT)
