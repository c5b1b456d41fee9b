"""Which sections and options of tempest.conf Tempest and its installed plugins have.

They register them as oslo.config does: by entry points. To load them takes half a second, so it is
done only when a setting is to be checked, and the names are cached for the same versions.
"""

import contextlib
import difflib
import functools
import hashlib
import json
from collections.abc import Collection, Iterable, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

import platformdirs

from refstack_client.errors import UsageError
from refstack_client.files import write_json

Names = Mapping[str, Collection[str]]
"""Names of options by section."""

_ENTRY_POINTS = "oslo.config.opts"
_LIBRARIES = ("tempest.config", "oslo.log", "oslo.concurrency")
_DEFAULT = "DEFAULT"


def check(section: str, option: str) -> None:
    """Check that there is an option of a section; deprecated names are accepted.

    :raises UsageError: there is no such section or option; the hint has the nearest name
    """
    if option not in _cached().get(section, ()):
        _require(section, option, _registered())


def _require(section: str, option: str, names: Names) -> None:
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


def _cache() -> Path:
    """Return the file with the names for the installed versions of Tempest and its plugins."""
    plugins = metadata.entry_points(group="tempest.test_plugins")
    distributions = {
        f"{plugin.dist.name}-{plugin.dist.version}" for plugin in plugins if plugin.dist
    }
    versions = [f"tempest-{metadata.version('tempest')}", *sorted(distributions)]
    digest = hashlib.sha256("\n".join(versions).encode()).hexdigest()[:16]
    return platformdirs.user_cache_path("refstack-client") / f"options-{digest}.json"


@functools.cache
def _cached() -> Names:
    with contextlib.suppress(OSError, ValueError):
        names = json.loads(_cache().read_text(encoding="utf-8"))
        return names if isinstance(names, dict) else {}
    return {}


@functools.cache
def _registered() -> Names:
    """Return the names of all options, also deprecated ones, by section, and cache them."""
    names: dict[str, set[str]] = {}
    for library in _LIBRARIES:
        (entry_point,) = metadata.entry_points(group=_ENTRY_POINTS, name=library)
        for group, options in entry_point.load()():
            section = _section(group)
            for option in options:
                names.setdefault(section, set()).add(option.dest)
                for old in option.deprecated_opts:
                    # A deprecated name without a group is of the same section.
                    names.setdefault(old.group or section, set()).add(old.name or option.dest)
    listed = {section: sorted(options) for section, options in names.items()}
    with contextlib.suppress(OSError):
        _cache().parent.mkdir(parents=True, exist_ok=True)
        write_json(_cache(), listed)
    return listed


def _section(group: Any) -> str:
    """Return the name of a group of oslo.config: None, a text, or an object with a name."""
    return str(getattr(group, "name", group) or _DEFAULT)
