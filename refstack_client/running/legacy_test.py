"""Run tests with the user's tempest.conf, as ``test`` of the original refstack-client."""

import configparser
import functools
import io
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

import testtools
from rich.console import Console
from stestr import subunit_trace

from capabilities import catalogue, refstack_list, tempest_id
from refstack_client.errors import InputError
from refstack_client.files import json_text, read_bytes, write_over, write_private
from refstack_client.outcomes import cpid, refstack_json, subunit_stream
from refstack_client.outcomes.refstack_json import RefstackResults
from refstack_client.planning import guideline_source
from refstack_client.planning.workers import Workers
from refstack_client.printable import printable
from refstack_client.running import (
    legacy_accounts,
    legacy_identity,
    legacy_repository,
    legacy_selection,
    progress,
    run_recorder,
    tempest_session,
)
from refstack_client.running.legacy_identity import Cpid, Identity
from refstack_client.running.legacy_repository import LegacyRepository
from refstack_client.running.legacy_selection import Selection
from refstack_client.tempest import inventory
from refstack_client.tempest.settings import is_secret
from refstack_client.tempest.stestr_runner import Ended
from refstack_client.tempest.workspace import Workspace, workspace

Show = Callable[[str], None]
"""Takes a sentence for people."""


@dataclass(frozen=True)
class LegacyRequest:
    """What the user requests.

    :param conf: path of the tempest.conf
    :param test_list: path or URL of a list of tests; it takes precedence over the selection
    :param selection: tests by regular expressions
    :param concurrency: how many test classes run at a time; None for as many as there are
        processors and pairs of users
    :param directory: the run directory, which is created
    :param tag: start of the name of the file with the results; "" for none
    :param insecure: accept any certificate, of Keystone and of the list's server
    """

    conf: Path
    test_list: str | None
    selection: Selection
    concurrency: int | None
    directory: Path
    tag: str = ""
    insecure: bool = False


@dataclass(frozen=True)
class LegacyOutput:
    """Where a run is shown.

    :param show: called with each sentence about the run
    :param warn: called with each warning
    :param trace: receives a line for each test, as Tempest prints it; None shows the progress
    """

    show: Show
    warn: Show
    console: Console
    trace: TextIO | None = None


@dataclass(frozen=True)
class LegacyResult:
    """The results for RefStack, the files that hold them, and how stestr ended.

    :param stream: the subunit stream, in the directory ``.tempest``
    :param file: the results, beside it
    """

    results: RefstackResults
    ended: Ended
    stream: Path
    file: Path


def run_tests(request: LegacyRequest, output: LegacyOutput) -> LegacyResult:
    """Run the requested tests, and write down those that passed.

    :raises InputError: the configuration or the list cannot be read, or no test is selected
    :raises MachineError: the results cannot be stored
    """
    conf = _parsed(read_bytes(request.conf).decode("utf-8", errors="replace"), request.conf)
    identity = legacy_identity.read(request.conf, insecure=request.insecure)
    concurrency = _concurrency(request.concurrency, identity)
    secrets = _secrets(conf, identity)
    listed = _listed(request, output.warn) if request.test_list else None
    repository = LegacyRepository()
    found = legacy_identity.cpid_of(identity)
    _report_cpid(found, identity, output)
    run = run_recorder.create(request.directory.parent, request.directory.name)
    with workspace() as space:
        _write(conf, space, identity, insecure=request.insecure)
        legacy_accounts.write(space, identity, concurrency)
        wanted = _wanted(space, request, listed, output.warn)
        workers = Workers(concurrency)
        listener, end = _listener(output, wanted, workers)
        started = datetime.now(UTC)
        job = tempest_session.job(space, wanted, workers)
        ended = tempest_session.run_jobs([job], secrets, run, listener)
        seconds = int((datetime.now(UTC) - started).total_seconds())
    end()
    outcomes = subunit_stream.read_appended(run.stream)
    results = refstack_json.of_outcomes(outcomes, found.value, seconds)
    stream = repository.add(run.stream)
    file = legacy_repository.results_file(stream, request.tag)
    content = json_text(results.as_json()).encode()
    write_over(file, content)
    name = f"{request.tag}-results.json" if request.tag else "results.json"
    write_over(run.directory / name, content)
    return LegacyResult(results, ended, stream, file)


def _listed(request: LegacyRequest, warn: Show) -> bytes:
    """Return the list; a shipped guideline takes the place of a server that does not respond.

    The server of the Foundation, which many scripts name, is retired.

    :raises InputError: the list cannot be read
    """
    name = request.test_list or ""
    if not guideline_source.is_url(name) and name not in catalogue.shipped():
        return read_bytes(Path(name))
    try:
        return guideline_source.content(name, verify=not request.insecure)
    except InputError as error:
        wanted = refstack_list.of_url(name)
        if wanted is None:
            raise
        guideline_id, query = wanted
        if guideline_id not in catalogue.shipped():
            raise InputError(
                f"{error}, and no guideline {guideline_id} is shipped",
                hint="refstack-client guideline list shows those that are; refstack-client "
                "guideline tests prints a list of tests",
            ) from error
        warn(f"warning: {error}")
        warn(f"the tests are those of the shipped guideline {guideline_id}")
        guideline, _ = catalogue.load(guideline_id)
        try:
            return "\n".join(refstack_list.lines(guideline, query)).encode()
        except ValueError as reason:
            raise InputError(f"{name}: {reason}") from reason


def _concurrency(wanted: int | None, identity: Identity) -> int:
    if wanted is not None:
        return wanted
    processors = os.cpu_count() or 1
    if identity.accounts_file is None:
        return processors
    # A test class may use two users.
    return max(1, min(processors, legacy_accounts.users(identity.accounts_file) // 2))


def _report_cpid(found: Cpid, identity: Identity, output: LegacyOutput) -> None:
    if not found.reason:
        return
    output.warn(f"warning: the cpid is made from the host of {identity.url}: {found.reason}")
    if cpid.collides(identity.url):
        output.warn("warning: other clouds may have the same host and so the same cpid")


def _listener(
    output: LegacyOutput, wanted: Sequence[str], workers: Workers
) -> tuple[testtools.StreamResult, Callable[[], None]]:
    """Return what shows the events of the run, and what to call at its end."""
    if output.trace is None:
        names = {"requested tests": _names(wanted)}
        return progress.RunProgress(output.console, names, workers), lambda: None
    # stestr keeps what it counts in its module.
    subunit_trace.FAILS.clear()
    subunit_trace.RESULTS.clear()
    started = datetime.now(UTC)
    printer = _Printer(output.trace)
    outcome = functools.partial(subunit_trace.show_outcome, printer)

    def end() -> None:
        subunit_trace.print_summary(printer, datetime.now(UTC) - started)
        printer.flush()

    return testtools.StreamToDict(outcome), end


class _Printer:
    """Writes what stestr prints, without what controls a terminal."""

    def __init__(self, target: TextIO):
        self._target = target

    def write(self, text: str) -> None:
        self._target.write("\n".join(map(printable, text.split("\n"))))

    def flush(self) -> None:
        self._target.flush()


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


def _write(
    conf: configparser.ConfigParser, space: Workspace, identity: Identity, *, insecure: bool
) -> None:
    """Write the tempest.conf that Tempest reads, with its files in the workspace."""
    values = {
        ("DEFAULT", "log_file"): str(space.log),
        ("DEFAULT", "use_stderr"): "false",
        ("oslo_concurrency", "lock_path"): str(space.directory / "locks"),
    }
    if identity.accounts_file:
        values["auth", "test_accounts_file"] = str(space.accounts)
    if insecure:
        values["identity", "disable_ssl_certificate_validation"] = "true"
    for (section, option), value in values.items():
        if section != "DEFAULT" and not conf.has_section(section):
            conf.add_section(section)
        conf.set(section, option, value)
    out = io.StringIO()
    conf.write(out)
    write_private(space.tempest_conf, out.getvalue())


def _wanted(
    space: Workspace, request: LegacyRequest, listed: bytes | None, warn: Show
) -> Sequence[str]:
    """Return the full ids of the tests to run.

    :raises InputError: there is none
    """
    index = inventory.load(space).index
    if listed is not None and request.test_list:
        found = legacy_selection.of_list(index, listed, request.test_list, warn)
    else:
        found = legacy_selection.of_selection(index, request.selection)
    if not found:
        raise InputError(
            "the installed Tempest has none of the requested tests",
            hint="refstack-client guideline tests --tempest lists tests",
        )
    return found


def _names(full_ids: Iterable[str]) -> tuple[str, ...]:
    return tuple(test.name for full in full_ids if (test := tempest_id.parse(full)))


def _secrets(conf: configparser.ConfigParser, identity: Identity) -> tuple[str, ...]:
    """Return the secrets in a tempest.conf and in its accounts file.

    oslo.config reads ``$$`` as ``$``, and leaves out quotes: both forms are secrets.
    """
    sections = [conf.defaults(), *(conf[name] for name in conf.sections())]
    written = [
        value
        for section in sections
        for option, value in section.items()
        if value and is_secret(option)
    ]
    read = (_unquoted(value).replace("$$", "$") for value in written)
    accounts = identity.accounts_file
    listed = legacy_accounts.secrets(accounts) if accounts else ()
    return tuple(dict.fromkeys((*written, *read, *listed)))


def _unquoted(value: str) -> str:
    is_quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "\"'"
    return value[1:-1] if is_quoted else value
