"""List the tests of the installed Tempest and its plugins."""

import configparser
import contextlib
import hashlib
import io
import re
import subprocess
import sys
from collections.abc import Iterable, Mapping
from importlib import metadata
from pathlib import Path

import platformdirs
import subunit
import testtools

from capabilities import tempest_id
from capabilities.matching import Index
from refstack_client.errors import MachineError
from refstack_client.files import IMAGE_DATA, write_text
from refstack_client.tempest.listing import Listing
from refstack_client.tempest.workspace import RUNNER, Workspace, workspace

# Options that differ from run to run and do not change the list.
_OF_THE_RUN = {
    *("log_file", "lock_path", "resource_name_prefix", "test_accounts_file", "uri", "uri_v3"),
    *("admin_username", "admin_password", "admin_project_name", "admin_project_id"),
}
# Options known to change attributes of tests, each with its default.
_DECISIVE = (("validation", "run_validation", "true"),)


def load(space: Workspace, *, fresh: bool = False) -> Listing:
    """Return what Tempest lists under the workspace's tempest.conf.

    The attributes in a test's brackets may depend on the configuration. Tempest takes a second to
    list its tests, so a cached list of the same versions is used. It is ``assumed`` if it was made
    under another configuration; ``fresh`` ignores the cache. A list that lacks modules because they
    cannot be imported is not cached.

    :param space: workspace with the tempest.conf

    :raises MachineError: Tempest cannot be loaded at all
    """
    settings = _settings(space)
    name, digest = _name(settings), _digest(settings)
    cache = platformdirs.user_cache_path("refstack-client") / name
    for path in () if fresh else (cache, IMAGE_DATA / name):
        with contextlib.suppress(OSError):
            digest_then, *lines = path.read_text(encoding="utf-8").splitlines()
            return _listing(lines, {}, assumed=digest_then != digest)
    lines, broken = _list(space)
    if not broken:
        _write(cache, [digest, *lines])
    return _listing(lines, broken, assumed=False)


def prepare() -> None:
    """Write the lists that are part of a container image."""
    ((section, option, _),) = _DECISIVE
    for value in ("true", "false"):
        with workspace() as space:
            write_text(space.tempest_conf, f"[{section}]\n{option} = {value}\n")
            settings = _settings(space)
            _write(IMAGE_DATA / _name(settings), [_digest(settings), *_list(space)[0]])


def _listing(lines: Iterable[str], broken: Mapping[str, str], *, assumed: bool) -> Listing:
    index = Index.of(test for line in lines if (test := tempest_id.parse(line)))
    return Listing(index, versions(), broken, assumed)


def versions() -> dict[str, str]:
    """Return the versions of Tempest and of every installed plugin, by distribution."""
    plugins = metadata.entry_points(group="tempest.test_plugins")
    names = {entry.dist.name for entry in plugins if entry.dist}
    return {name: metadata.version(name) for name in sorted({"tempest"} | names)}


def _list(space: Workspace) -> tuple[list[str], dict[str, str]]:
    """List with stestr's runner: unlike ``stestr list`` it continues after an import error."""
    outcome = subprocess.run(
        [*RUNNER, "discover", "-t", str(space.top), str(space.test_path), "--list"],
        cwd=space.directory,
        env=space.environ(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    listed = _Listed()
    events = subunit.ByteStreamToStreamResult(io.BytesIO(outcome.stdout), non_subunit_name="stdout")
    events.run(listed)
    if not listed.tests:
        output = (outcome.stderr or outcome.stdout).decode(errors="replace").strip().splitlines()
        raise MachineError(
            f"Tempest cannot list its tests: {output[-1] if output else 'it printed nothing'}",
            hint="the usual reason is a plugin for another version of Tempest; pip list shows "
            "what is installed",
        )
    return listed.tests, _broken(listed.errors.decode(errors="replace"))


class _Listed(testtools.StreamResult):
    def __init__(self) -> None:
        super().__init__()
        self.tests: list[str] = []
        self.errors = b""

    def status(
        self,
        test_id: str | None = None,
        test_status: str | None = None,
        file_name: str | None = None,
        file_bytes: bytes | None = None,
        **event: object,
    ) -> None:
        if test_status == "exists" and test_id:
            self.tests.append(test_id)
        if file_name == "import errors":
            self.errors += bytes(file_bytes or b"")


def _broken(errors: str) -> dict[str, str]:
    """Return the modules that cannot be imported, each with the last line of its traceback."""
    found = {}
    for part in re.split(r"^Failed to import test module: ", errors, flags=re.MULTILINE)[1:]:
        module, _, traceback = part.partition("\n")
        found[module.strip()] = traceback.strip().splitlines()[-1] if traceback.strip() else ""
    return found


def _write(path: Path, lines: list[str]) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text(path, "\n".join(lines) + "\n")
    except OSError:
        pass  # without the cache the next call takes longer, nothing else


Settings = dict[tuple[str, str], str]


def _settings(space: Workspace) -> Settings:
    """Return the options on which a list may depend, by section and option."""
    conf = configparser.ConfigParser(interpolation=None, strict=False)
    conf.read(space.tempest_conf, encoding="utf-8")
    return {
        # The order of items in a list of Tempest does not matter.
        (section, option): ",".join(sorted(value.split(",")))
        for section in ("DEFAULT", *conf.sections())
        for option, value in conf[section].items()
        if option not in _OF_THE_RUN
    }


def _name(settings: Settings) -> str:
    """Return the name of the cache file for these versions."""
    decisive = [settings.get((section, option), default) for section, option, default in _DECISIVE]
    facts = repr((sys.version, versions(), [value.lower() for value in decisive]))
    return f"tests-{hashlib.sha256(facts.encode()).hexdigest()[:16]}.txt"


def _digest(settings: Settings) -> str:
    return hashlib.sha256(repr(sorted(settings.items())).encode()).hexdigest()
