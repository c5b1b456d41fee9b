"""Measure judging and reporting a long stream, against python-subunit that only parses it.

    python benchmarks/judge_long_stream.py [TESTS]

Both run in turn in one process each; the result is the ratio of their times. Memory is the peak of
a process that judges the stream, and of one that judges a tenth of it. TESTS is 20000 by default.
"""

import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import subunit

ROUNDS = 3
LOG = (
    b"Request (Class:test): 200 GET http://127.0.0.1/v1/AUTH_x/container 0.01s\n    Body: None\n"
    * 30
)
PARSE = """
import sys, subunit, testtools
with open(sys.argv[1], "rb") as content:
    subunit.ByteStreamToStreamResult(content, non_subunit_name="o").run(testtools.StreamResult())
"""
JUDGE = """
import resource, sys
from pathlib import Path
from capabilities import catalogue, programme
from refstack_client.outcomes import subunit_stream
from refstack_client.report import html
from scoring.conformance.verdict import judge
chosen = programme.find(catalogue.load("2020.06")[0], "platform")
html.page(judge(chosen, subunit_stream.read(Path(sys.argv[1]))))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


def write_stream(path: Path, tests: int) -> None:
    """Write a stream in which every tenth test fails, each with a log of some kilobytes."""
    from capabilities import catalogue, programme  # noqa: PLC0415 - only the writer needs it

    counted = programme.find(catalogue.load("2020.06")[0], "platform").counted_tests()
    names = [f"{test.name}[{test.idempotent_id}]" for test in counted]
    names += [f"tempest.made.up.Class{n // 20}.test_{n}[id-{n:032x}]" for n in range(tests)]
    now = datetime.now(UTC)
    with path.open("wb") as output:
        out = subunit.StreamResultToBytes(output)
        for number, name in enumerate(names[:tests]):
            began = now + timedelta(seconds=number)
            out.status(test_id=name, test_status="inprogress", timestamp=began)
            for kind, content in (("pythonlogging:''", LOG), ("traceback", b"ValueError: no\n")):
                if kind != "traceback" or number % 10 == 0:
                    out.status(test_id=name, file_name=kind, file_bytes=content, eof=True)
            status = "success" if number % 10 else "fail"
            out.status(test_id=name, test_status=status, timestamp=began + timedelta(seconds=1))


def run(code: str, path: Path) -> tuple[float, str]:
    """Run ``code`` with ``path`` in a new process; return its seconds and its output."""
    started = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)], check=True, capture_output=True, text=True
    )
    return time.perf_counter() - started, done.stdout.strip()


def main(tests: int) -> None:
    """Measure with a stream of ``tests`` tests, and print."""
    with tempfile.TemporaryDirectory() as place:
        path, tenth = Path(place) / "all", Path(place) / "tenth"
        write_stream(path, tests)
        write_stream(tenth, tests // 10)
        pairs = [(run(PARSE, path), run(JUDGE, path)) for _ in range(ROUNDS)]
        ratios = [judged[0] / parsed[0] for parsed, judged in pairs]
        listed = ", ".join(f"{ratio:.2f}" for ratio in ratios)
        print(f"{tests} tests, {path.stat().st_size / 1e6:.0f} MB")
        print(f"parse alone        {statistics.median(parsed[0] for parsed, _ in pairs):.2f} s")
        print(f"verdict and page   {statistics.median(judged[0] for _, judged in pairs):.2f} s")
        print(f"ratio              {statistics.median(ratios):.2f} ({listed})")
        print(f"memory             {pairs[0][1][1]} MB, {run(JUDGE, tenth)[1]} MB for a tenth")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20_000)
