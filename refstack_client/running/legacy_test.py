"""Run a list of tests with a tempest.conf that is given, as the old client's ``test`` did."""

import configparser
import io
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import keystoneauth1.exceptions
import yaml
from keystoneauth1 import session
from keystoneauth1.identity import v3
from rich.console import Console

from capabilities import flat_list, tempest_id
from capabilities.guideline import Test
from capabilities.matching import Index, match
from refstack_client.cloud.connection import SECONDS_TO_CONNECT
from refstack_client.errors import InputError
from refstack_client.files import read_bytes, write_private
from refstack_client.outcomes import cpid, refstack_json, subunit_stream
from refstack_client.outcomes.refstack_json import RefstackResults
from refstack_client.planning import guideline_source
from refstack_client.running import progress, run_recorder
from refstack_client.tempest import inventory, stestr_runner
from refstack_client.tempest.concurrency import Workers
from refstack_client.tempest.conf import is_secret
from refstack_client.tempest.workspace import Workspace, workspace

DEFAULT_TESTS = "tempest.api"


@dataclass(frozen=True)
class Request:
    """``tests`` are names, or what names start with; all API tests where nothing is asked for."""

    conf: Path
    test_list: str | None
    tests: tuple[str, ...]
    concurrency: int
    directory: Path


@dataclass(frozen=True)
class Done:
    results: RefstackResults
    ended: stestr_runner.Ended


def run_tests(request: Request, console: Console, say: Callable[[str], None]) -> Done:
    """Run what was asked for and return what passed.

    :raises InputError: the configuration or the list cannot be read
    """
    conf = _parsed(read_bytes(request.conf).decode("utf-8", errors="replace"), request.conf)
    listed = _listed(request.test_list) if request.test_list else ()
    made = run_recorder.create(request.directory.parent, request.directory.name)
    with workspace() as space:
        _write(conf, space)
        index = inventory.load(space).index
        wanted = _wanted(index, listed, request, say)
        started = datetime.now(UTC)
        workers = Workers(request.concurrency)
        listener = progress.RunProgress(console, {"tests asked for": _names(wanted)}, workers)
        job = stestr_runner.Job(space, wanted, workers)
        ended = stestr_runner.run([job], _secrets(conf), made, listener)
        seconds = int((datetime.now(UTC) - started).total_seconds())
    outcomes = subunit_stream.read_appended(made.stream)
    return Done(refstack_json.of_outcomes(outcomes, _cpid(conf, say), seconds), ended)


def _parsed(text: str, path: Path) -> configparser.ConfigParser:
    conf = configparser.ConfigParser(interpolation=None, strict=False, allow_no_value=True)
    conf.optionxform = str  # type: ignore[assignment,method-assign]
    try:
        conf.read_string(text, str(path))
    except configparser.Error as error:
        raise InputError(f"{' '.join(str(error).split())}", hint="is it a tempest.conf?") from error
    return conf


def _write(conf: configparser.ConfigParser, space: Workspace) -> None:
    """Write the configuration Tempest reads; what it writes itself stays in the workspace."""
    conf.set("DEFAULT", "log_file", str(space.log))
    conf.set("DEFAULT", "use_stderr", "false")
    if not conf.has_section("oslo_concurrency"):
        conf.add_section("oslo_concurrency")
    conf.set("oslo_concurrency", "lock_path", str(space.directory / "locks"))
    out = io.StringIO()
    conf.write(out)
    write_private(space.tempest_conf, out.getvalue())


def _listed(name: str) -> tuple[Test, ...]:
    content = guideline_source.content(name)
    guideline, _ = flat_list.parse(content.decode("utf-8-sig"), Path(name).stem, name)
    return tuple(test for each in guideline.capabilities.values() for test in each.tests)


def _wanted(
    index: Index, listed: Iterable[Test], request: Request, say: Callable[[str], None]
) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for test in listed:
        matched = match(test, index)
        if not matched.found:
            say(f"not in this Tempest: {test.name}")
        found.update(dict.fromkeys(each.full for each in matched.found))
    if not listed:
        starts = request.tests or (DEFAULT_TESTS,)
        found.update(
            dict.fromkeys(each.full for each in index.tests if each.name.startswith(starts))
        )
    if not found:
        raise InputError(
            "no test of this Tempest is asked for", hint="guideline tests --tempest lists some"
        )
    return tuple(found)


def _names(full: Iterable[str]) -> tuple[str, ...]:
    return tuple(test.name for each in full if (test := tempest_id.parse(each)))


def _secrets(conf: configparser.ConfigParser) -> tuple[str, ...]:
    """Return the secrets in a configuration, and in the accounts file it names."""
    sections = [conf.defaults(), *(conf[name] for name in conf.sections())]
    own = (
        value
        for section in sections
        for option, value in section.items()
        if value and is_secret(option)
    )
    accounts = conf.get("auth", "test_accounts_file", fallback=None)
    users = _users(Path(accounts)) if accounts else ()
    return (*own, *(str(user["password"]) for user in users if user.get("password")))


def _users(path: Path) -> list[dict]:
    try:
        found = yaml.safe_load(read_bytes(path))
    except yaml.YAMLError as error:
        raise InputError(f"{path} is not valid YAML: {' '.join(str(error).split())}") from error
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def _cpid(conf: configparser.ConfigParser, say: Callable[[str], None]) -> str:
    """Return the id of the identity service in the catalogue, else one made from its host."""
    url = conf.get("identity", "uri_v3", fallback="") or conf.get("identity", "uri", fallback="")
    try:
        found = _identity_service(conf, url)
    except keystoneauth1.exceptions.ClientException:
        found = None
    if found:
        return found
    say(
        f"the catalogue does not name its identity service: the cpid is made from the host of {url}"
    )
    if cpid.collides(url):
        say("warning: other clouds may have that host too, and so the same cpid")
    return cpid.of_endpoint(url)


def _identity_service(conf: configparser.ConfigParser, url: str) -> str | None:
    user = _first_user(conf)
    if user is None:
        return None
    domain = user.get("domain_name") or "Default"
    auth = v3.Password(
        auth_url=url,
        username=user["username"],
        password=user["password"],
        project_name=user["project_name"],
        user_domain_name=domain,
        project_domain_name=domain,
    )
    trusted = conf.get("identity", "ca_certificates_file", fallback=None) or True
    insecure = conf.getboolean("identity", "disable_ssl_certificate_validation", fallback=False)
    verify = False if insecure else trusted
    access = auth.get_access(session.Session(auth=auth, verify=verify, timeout=SECONDS_TO_CONNECT))
    services = access.service_catalog.catalog
    return next((each.get("id") for each in services if each.get("type") == "identity"), None)


def _first_user(conf: configparser.ConfigParser) -> Mapping[str, str] | None:
    """Return the admin of a configuration, or the first user of the accounts file it names."""
    keys = ("username", "password", "project_name", "domain_name")
    admin = {key: conf.get("auth", f"admin_{key}", fallback=None) for key in keys}
    if admin["username"] and admin["password"]:
        return {key: value for key, value in admin.items() if value}
    accounts = conf.get("auth", "test_accounts_file", fallback=None)
    users = _users(Path(accounts)) if accounts else []
    needed = {"username", "password", "project_name"}
    return next((each for each in users if needed <= each.keys()), None)
