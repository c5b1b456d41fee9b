"""Interrupts: Ctrl-C, SIGTERM (``docker stop``) and SIGHUP (a lost terminal).

Each is acknowledged at once with a line on standard error. Then ``KeyboardInterrupt`` is raised,
unless the code that runs declares another action. This module imports next to nothing, so that a
command can install it before its imports, which take longer than the reaction of a user.
"""

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Iterator

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
EXIT_STATUS = 128 + signal.SIGINT

Notices = tuple[str, ...]
"""A line for the first interrupt, one for the second, and so on; one more ends the process."""

NOTICES: Notices = ("stopping; press Ctrl-C again to stop at once", "stopping at once")

_SECONDS_TO_LEAVE = 0.01
"""After so long the code in which exceptions are ignored has ended."""


class _State:
    """What the handler of the signals needs; there is one, as a process has one handler."""

    count = 0
    notices = NOTICES
    on_first: Callable[[], None] | None = None
    last_words: Callable[[], Iterable[str]] | None = None
    postponing = False
    is_postponed = False
    is_repeated = False


def install() -> None:
    """Handle the signals from now on. Only a program may do that, not a library.

    What is ignored stays so: SIGHUP below ``nohup``, SIGINT in the background of a script.
    """
    for number in _not_ignored():
        signal.signal(number, _interrupt)
    sys.unraisablehook = _raise_again


def _not_ignored() -> tuple[signal.Signals, ...]:
    return tuple(number for number in SIGNALS if signal.getsignal(number) is not signal.SIG_IGN)


def end_at_once() -> None:
    """End the process at the next interrupt: what remains to be done is Python's own."""
    _State.notices = ()


def set_last_words(lines: Callable[[], Iterable[str]]) -> None:
    """Print these lines if an interrupt ends the process at once."""
    _State.last_words = lines


def count() -> int:
    """Return the number of interrupts so far."""
    return _State.count


@contextlib.contextmanager
def announced(notices: Notices) -> Iterator[None]:
    """Acknowledge interrupts with these notices until the block ends."""
    before, _State.notices = _State.notices, notices
    try:
        yield
    finally:
        _State.notices = before


@contextlib.contextmanager
def on_first(action: Callable[[], None]) -> Iterator[None]:
    """Call ``action`` at the first interrupt of the process, if it comes before the block ends.

    Later ones raise KeyboardInterrupt. In a program that has not installed the handler, it is
    installed until the block ends.
    """
    before, _State.on_first = _State.on_first, action
    try:
        with _installed():
            yield
    finally:
        _State.on_first = before


@contextlib.contextmanager
def _installed() -> Iterator[None]:
    is_own = {signal.getsignal(number) for number in _not_ignored()} == {_interrupt}
    if is_own or threading.current_thread() is not threading.main_thread():
        yield
        return
    handlers = {number: signal.signal(number, _interrupt) for number in _not_ignored()}
    _State.count = 0
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def postponed() -> Iterator[None]:
    """Raise KeyboardInterrupt only when the block ends, which must be soon."""
    _State.postponing = True
    try:
        yield
    finally:
        _State.postponing = False
        if _State.is_postponed:
            _State.is_postponed = False
            raise KeyboardInterrupt


def _interrupt(number: int, frame: object) -> None:
    """Acknowledge a signal, and act on it or raise KeyboardInterrupt."""
    if _State.is_repeated:
        _State.is_repeated = False
        raise KeyboardInterrupt
    _State.count += 1
    if _State.count > len(_State.notices):
        with contextlib.suppress(Exception):
            for line in _State.last_words() if _State.last_words else ():
                os.write(2, f"{line}\n".encode())
        os._exit(EXIT_STATUS)
    with contextlib.suppress(OSError):
        # Not print: the signal may have interrupted one, which cannot be entered again.
        os.write(2, f"\n{_State.notices[_State.count - 1]}\n".encode())
    if _State.count == 1 and _State.on_first:
        _State.on_first()
    elif _State.postponing:
        _State.is_postponed = True
    else:
        raise KeyboardInterrupt


def _raise_again(unraisable: "sys.UnraisableHookArgs") -> None:
    """Raise a KeyboardInterrupt again that came where Python ignores exceptions (``__del__``)."""
    if not issubclass(unraisable.exc_type, KeyboardInterrupt):
        sys.__unraisablehook__(unraisable)
    elif threading.current_thread() is threading.main_thread():
        _State.is_repeated = True
        # Not here, where it would be ignored again.
        repeat = threading.Timer(_SECONDS_TO_LEAVE, os.kill, (os.getpid(), signal.SIGINT))
        repeat.daemon = True
        repeat.start()
