"""What is written here, other programs read the same, outcome for outcome, in both versions."""

import csv
import gzip
import io
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest
import subunit
from support.making import NAMES, STORAGE
from support.streams import StreamWriter

from capabilities import catalogue
from refstack_client.bundle import contents, pack
from refstack_client.errors import InputError
from refstack_client.outcomes import stream_file, stream_tools, subunit_stream
from refstack_client.outcomes.redaction import Redactor
from scoring.conformance.outcomes import Outcome

LOG = "2026-01-01 00:00:00 DEBUG Request (T:t): 200 GET http://k/\r\n    Body: {}\n" * 40
FIXTURE = f"setUpClass ({NAMES[-1].partition('[')[0].rpartition('.')[0]})"
OF_STATUS = {"success": Outcome.PASS, "fail": Outcome.FAIL, "skip": Outcome.SKIP}
OF_CSV = {**OF_STATUS, "failure": Outcome.FAIL}


def stream() -> bytes:
    """Return passes, failures, skips and a failed set-up, with logs and one repetition."""
    written = StreamWriter()
    for number, name in enumerate(NAMES[:40]):
        match number % 5:
            case 3:
                written.test(name, "fail", traceback="Traceback:\n  é ]\nE: x\n", pythonlogging=LOG)
            case 4:
                written.test(name, "skip", reason="no such extension", pythonlogging=LOG)
            case _:
                written.test(name, "success", pythonlogging=LOG)
    written.test(NAMES[3], "success", pythonlogging=LOG)
    written.end(FIXTURE, "fail", traceback="E: set-up\n")
    return written.content


def passed_on(content: bytes) -> bytes:
    """Return a stream as a run records it."""
    out = io.BytesIO()
    target = Redactor(subunit.StreamResultToBytes(out), ["a secret"])
    stream_tools.copy(io.BytesIO(content), stream_tools.CompletePackets(target))
    return out.getvalue()


def packed(content: bytes) -> bytes:
    """Return a stream as it is in a bundle."""
    source = pack.Source(("guideline.json", catalogue.content("2020.06")), STORAGE, content, {})
    return pack.make(source, attested={})[contents.STREAM]


def through(tool: str, content: bytes, *options: str, cwd: Path | None = None) -> bytes:
    command = [str(Path(sys.executable).with_name(tool)), *options]
    return subprocess.run(command, input=content, capture_output=True, check=False, cwd=cwd).stdout


Ends = list[tuple[str, Outcome]]


def ours(content: bytes) -> Ends:
    found = subunit_stream.parse(content, "stream")
    tests = [(attempt.test.full, attempt.outcome) for attempt in found.attempts]
    fixtures = [(f"setUpClass ({one.class_name})", one.outcome) for one in found.classes]
    assert not found.damage
    return sorted(tests + fixtures)


def by_csv(content: bytes) -> Ends:
    rows = csv.DictReader(io.StringIO(through("subunit2csv", content).decode()))
    return sorted((row["test"], OF_CSV[row["status"]]) for row in rows)


def by_junitxml(content: bytes) -> Ends:
    found = []
    for case in ElementTree.fromstring(through("subunit2junitxml", content)).iter("testcase"):
        kinds = {child.tag for child in case}
        outcome = Outcome.SKIP if "skip" in kinds or "skipped" in kinds else Outcome.PASS
        outcome = Outcome.FAIL if kinds & {"failure", "error"} else outcome
        name = f"{case.get('classname')}.{case.get('name')}".removeprefix(".")
        found.append((name, outcome))
    return sorted(found)


def by_version_1(content: bytes) -> Ends:
    return ours(through("subunit-2to1", content))


def by_version_1_and_back(content: bytes) -> Ends:
    return ours(through("subunit-1to2", through("subunit-2to1", content)))


def by_filter(content: bytes) -> Ends:
    keep_all = ("--success", "--no-passthrough")
    return ours(through("subunit-filter", content, *keep_all))


@pytest.mark.parametrize("written", [passed_on, packed])
@pytest.mark.parametrize(
    "read", [by_csv, by_junitxml, by_version_1, by_version_1_and_back, by_filter]
)
def test_others_read_every_outcome_as_we_do(written: Callable, read: Callable):
    content = written(stream())
    assert ours(content) == ours(stream())
    assert read(content) == ours(content)


@pytest.mark.parametrize("written", [passed_on, packed])
def test_stestr_loads_it_and_gives_it_back(written, tmp_path):
    content = written(stream())
    (tmp_path / ".stestr.conf").write_text("[DEFAULT]\ntest_path=.\n")
    through("stestr", b"", "init", cwd=tmp_path)
    through("stestr", content, "load", cwd=tmp_path)
    again = through("stestr", b"", "last", "--subunit", cwd=tmp_path)
    assert ours(again) == ours(content)
    shown = through("stestr", b"", "last", cwd=tmp_path).decode()
    counts = [sum(end[1] is outcome for end in ours(content)) for outcome in OF_STATUS.values()]
    for title, count in zip(("Passed", "Failed", "Skipped"), counts, strict=True):
        assert f" - {title}: {count}\n" in shown


# -- files in other forms --------------------------------------------------------------------------


def test_a_stream_in_gzip_is_read(tmp_path):
    path = tmp_path / "stream.gz"
    for content in (stream(), through("subunit-2to1", stream())):
        path.write_bytes(gzip.compress(content))
        found = subunit_stream.read(path)
        assert sorted((one.test.full, one.outcome) for one in found.attempts) == [
            end for end in ours(stream()) if end[0] != FIXTURE
        ]
        with stream_file.open_stream(path) as unpacked:
            assert unpacked.read() == content


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (gzip.compress(stream())[:-9], "is a damaged gzip file"),
        (gzip.compress(stream())[:90] + bytes(90), "is a damaged gzip file"),
        (b"\x1f\x8b", "is a damaged gzip file"),
        (gzip.compress(b"", mtime=0), "is empty"),
        (gzip.compress(gzip.compress(stream())), "is not a subunit stream"),
        (gzip.compress(bytes(3_000_000)), "is larger than 1000000 bytes when unpacked"),
        (
            through("subunit-2to1", stream()).replace(b"\n", b"\r\n"),
            "has line ends of CR LF: a program for texts has changed this subunit stream",
        ),
        (
            b"{0} tempest.api.identity.v3.T.test_x [0.1s] ... ok\n\nRan: 1 tests in 1 sec.\n",
            "is what stestr or Tempest printed, not the subunit stream",
        ),
        (b"<?xml version='1.0'?>\n<testsuite tests='1'></testsuite>", "is a JUnit report"),
        (b"", "is empty"),
        (b"tempest\n", "is not a subunit stream"),
    ],
)
def test_what_is_not_a_stream_is_refused_with_the_reason(tmp_path, monkeypatch, content, message):
    monkeypatch.setattr(stream_file, "_MOST_BYTES", 1_000_000)
    path = tmp_path / "file"
    path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        subunit_stream.read(path)
    assert message in str(caught.value)
    assert caught.value.hint
