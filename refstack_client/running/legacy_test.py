"""Run a list of tests with the user's tempest.conf, as ``test`` of the original refstack-client."""

import configparser
import io
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import keystoneauth1.exceptions
from keystoneauth1 import session
from keystoneauth1.identity import v3
from rich.console import Console

from capabilities import flat_list, tempest_id
from capabilities.guideline import Test
from capabilities.matching import Index, match
from refstack_client import yaml_text
from refstack_client.cloud.access import SECONDS_TO_CONNECT
from refstack_client.errors import InputError
from refstack_client.files import read_bytes, write_private
from refstack_client.outcomes import cpid, refstack_json, subunit_stream
from refstack_client.outcomes.refstack_json import RefstackResults
from refstack_client.planning import guideline_source
from refstack_client.planning.workers import Workers
from refstack_client.running import progress, run_recorder, tempest_session
from refstack_client.tempest import inventory
from refstack_client.tempest.settings import is_secret
from refstack_client.tempest.stestr_runner import Ended
from refstack_client.tempest.workspace import Workspace, workspace
from refstack_client.yaml_text import InvalidYamlError

DEFAULT_TESTS = "tempest.api"


@dataclass(frozen=True)
class LegacyRequest:
    """What the user requests.

    :param conf: path of the tempest.conf
    :param test_list: path or URL of a list of tests; None for ``tests``
    :param tests: names of tests, or starts of names; all API tests if both are empty
    :param concurrency: how many test classes run at a time
    :param directory: the run directory, which is created
    """

    conf: Path
    test_list: str | None
    tests: tuple[str, ...]
    concurrency: int
    directory: Path


@dataclass(frozen=True)
class LegacyResult:
    """The results for RefStack, and how stestr ended."""

    results: RefstackResults
    ended: Ended


def run_tests(
    request: LegacyRequest, console: Console, show: Callable[[str], None]
) -> LegacyResult:
    """Run the requested tests and return those that passed.

    :param console: shows the progress
    :param show: called with each message
    :raises InputError: the configuration or the list cannot be read
    """
    conf = _parsed(read_bytes(request.conf).decode("utf-8", errors="replace"), request.conf)
    listed = _listed(request.test_list) if request.test_list else ()
    run = run_recorder.create(request.directory.parent, request.directory.name)
    with workspace() as space:
        _write(conf, space)
        index = inventory.load(space).index
        wanted = _wanted(index, listed, request, show)
        started = datetime.now(UTC)
        workers = Workers(request.concurrency)
        listener = progress.RunProgress(console, {"requested tests": _names(wanted)}, workers)
        job = tempest_session.job(space, wanted, workers)
        ended = tempest_session.run_jobs([job], _secrets(conf), run, listener)
        seconds = int((datetime.now(UTC) - started).total_seconds())
    outcomes = subunit_stream.read_appended(run.stream)
    return LegacyResult(refstack_json.of_outcomes(outcomes, _cpid(conf, show), seconds), ended)


def _parsed(text: str, path: Path) -> configparser.ConfigParser:
    conf = configparser.ConfigParser(interpolation=None, strict=False, allow_no_value=True)
    conf.optionxform = str  # type: ignore[assignment,method-assign]
    try:
        conf.read_string(text, str(path))
    except configparser.Error as error:
        raise InputError(
            f"{' '.join(str(error).split())}", hint="--conf-file must name a tempest.conf"
        ) from error
    return conf


def _write(conf: configparser.ConfigParser, space: Workspace) -> None:
    """Write the tempest.conf that Tempest reads, with log and locks in the workspace."""
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
    return tuple(
        test for capability in guideline.capabilities.values() for test in capability.tests
    )


def _wanted(
    index: Index, listed: Iterable[Test], request: LegacyRequest, show: Callable[[str], None]
) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for test in listed:
        matched = match(test, index)
        if not matched.found:
            show(f"the installed Tempest does not have the test {test.name}")
        found.update(dict.fromkeys(test.full for test in matched.found))
    if not listed:
        starts = request.tests or (DEFAULT_TESTS,)
        found.update(
            dict.fromkeys(test.full for test in index.tests if test.name.startswith(starts))
        )
    if not found:
        raise InputError(
            "the installed Tempest has none of the requested tests",
            hint="refstack-client guideline tests --tempest lists tests",
        )
    return tuple(found)


def _names(full_ids: Iterable[str]) -> tuple[str, ...]:
    return tuple(test.name for full in full_ids if (test := tempest_id.parse(full)))


def _secrets(conf: configparser.ConfigParser) -> tuple[str, ...]:
    """Return the secrets in a tempest.conf and in the accounts file that it names."""
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


def _users(path: Path) -> list[dict[str, str]]:
    try:
        found = yaml_text.load(read_bytes(path))
    except InvalidYamlError as error:
        raise InputError(f"{path} is not valid YAML: {error}") from error
    return [user for user in found if isinstance(user, dict)] if isinstance(found, list) else []


def _cpid(conf: configparser.ConfigParser, show: Callable[[str], None]) -> str:
    """Return the id of the identity service in the service catalog, else one from its host."""
    url = conf.get("identity", "uri_v3", fallback="") or conf.get("identity", "uri", fallback="")
    try:
        found = _identity_service(conf, url)
    except keystoneauth1.exceptions.ClientException:
        found = None
    if found:
        return found
    show(
        "the service catalog has no id of the identity service: the cpid is made from the host of "
        f"{url}"
    )
    if cpid.collides(url):
        show("warning: other clouds may have the same host and so the same cpid")
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
    return next((entry.get("id") for entry in services if entry.get("type") == "identity"), None)


def _first_user(conf: configparser.ConfigParser) -> Mapping[str, str] | None:
    """Return the admin of a tempest.conf, or the first user of the accounts file that it names."""
    keys = ("username", "password", "project_name", "domain_name")
    admin = {key: conf.get("auth", f"admin_{key}", fallback=None) for key in keys}
    if admin["username"] and admin["password"]:
        return {key: value for key, value in admin.items() if value}
    accounts = conf.get("auth", "test_accounts_file", fallback=None)
    users = _users(Path(accounts)) if accounts else []
    needed = {"username", "password", "project_name"}
    return next((user for user in users if needed <= user.keys()), None)
