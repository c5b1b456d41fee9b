"""Interrupts: each is acknowledged, and acted on as the code that runs declares."""

import subprocess
import sys

import pytest

FIRST, SECOND = "stopping; press Ctrl-C again to stop at once", "stopping at once"
START = """
import signal, time
from refstack_client import interruption
def interrupt(): signal.raise_signal(signal.SIGINT)
interruption.install()
"""


def run(program: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-c", START + program],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_signal_is_acknowledged_and_raises(name):
    done = run(f"""
try:
    signal.raise_signal(signal.{name})
except KeyboardInterrupt:
    print("raised", interruption.count())
""")
    assert (done.stdout, done.stderr.strip()) == ("raised 1\n", FIRST)


@pytest.mark.parametrize("name", ["SIGINT", "SIGHUP"])
def test_an_ignored_signal_stays_ignored(name):
    done = run(f"""
signal.signal(signal.{name}, signal.SIG_IGN)
interruption.install()
signal.raise_signal(signal.{name})
print(interruption.count())
""")
    assert (done.stdout, done.stderr) == ("0\n", "")


@pytest.mark.parametrize("name", ["SIGINT", "SIGHUP"])
def test_an_ignored_signal_stays_ignored_where_an_action_is_declared(name):
    done = run(f"""
signal.signal(signal.{name}, signal.SIG_IGN)
interruption.install()
with interruption.on_first(lambda: print("action")):
    signal.raise_signal(signal.{name})
    signal.raise_signal(signal.SIGTERM)
print(interruption.count())
""")
    assert done.stdout == "action\n1\n"
    alone = run(f"""
for number in interruption.SIGNALS:
    signal.signal(number, signal.SIG_DFL)
signal.signal(signal.{name}, signal.SIG_IGN)
with interruption.on_first(lambda: print("action")):
    signal.raise_signal(signal.{name})
print(signal.getsignal(signal.{name}) is signal.SIG_IGN)
""")
    assert alone.stdout == "True\n"


def test_one_interrupt_more_than_there_are_notices_ends_the_process():
    done = run("""
for _ in range(3):
    try:
        interrupt()
    except KeyboardInterrupt:
        print("raised", flush=True)
print("not reached")
""")
    assert done.returncode == 130
    assert done.stdout == "raised\nraised\n"
    assert done.stderr.split("\n") == ["", FIRST, "", SECOND, ""]


def test_the_first_interrupt_alone_calls_the_action():
    done = run("""
try:
    with interruption.on_first(lambda: print("action")):
        interrupt()
        print("continues")
        interrupt()
except KeyboardInterrupt:
    print("raised")
""")
    assert done.stdout.split() == ["action", "continues", "raised"]


def test_an_action_is_called_in_a_program_without_the_handler_too():
    done = run("""
signal.signal(signal.SIGINT, signal.default_int_handler)
with interruption.on_first(lambda: print("action")):
    interrupt()
assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
""")
    assert (done.returncode, done.stdout) == (0, "action\n"), done.stderr


def test_a_postponed_interrupt_is_raised_when_the_block_ends():
    done = run("""
try:
    with interruption.postponed():
        interrupt()
        print("continues")
    print("not reached")
except KeyboardInterrupt:
    print("raised")
""")
    assert done.stdout.split() == ["continues", "raised"]


def test_an_interrupt_where_python_ignores_exceptions_is_raised_again_and_counts_once():
    done = run("""
class Ignoring:
    def __del__(self):
        interrupt()
try:
    Ignoring()
    time.sleep(1)
except KeyboardInterrupt:
    print("raised", interruption.count())
""")
    assert (done.stdout, done.stderr.strip()) == ("raised 1\n", FIRST)


def test_an_interrupt_that_ends_the_process_prints_the_last_words():
    done = run("""
interruption.set_last_words(lambda: ("not removed: a project", "to remove it: a command"))
for _ in range(3):
    try:
        interrupt()
    except KeyboardInterrupt:
        pass
""")
    assert done.returncode == 130
    assert done.stderr.endswith("\nnot removed: a project\nto remove it: a command\n")
