"""Ask for confirmation on the terminal."""

import sys

from refstack_client.cli.command import say
from refstack_client.errors import UsageError


def agreed(question: str, option: str) -> bool:
    """Return whether the user agrees.

    :param question: what would be done, a sentence without its end
    :param option: with which the command does not ask
    :raises UsageError: there is no terminal
    """
    if not sys.stdin.isatty():
        raise _cannot_ask(question, option)
    say(f"{question}. Ok? (yes/y): ")
    try:
        answer = input()
    except EOFError:
        answer = ""
    return _is_yes(answer)


def agreed_or_piped(question: str, option: str) -> bool:
    """Return whether the user agrees, as the original refstack-client asks: a pipe may answer.

    The question is on stdout. Parameters and errors as for :func:`agreed`.
    """
    print(f"{question}. Ok? (yes/y): ", end="", flush=True)
    answer = sys.stdin.readline()
    print(flush=True)
    if not answer and not sys.stdin.isatty():
        raise _cannot_ask(question, option)
    return _is_yes(answer)


def _cannot_ask(question: str, option: str) -> UsageError:
    return UsageError(
        f"cannot ask for confirmation, there is no terminal: {question}",
        hint=f"to do it without confirmation: {option}",
    )


def _is_yes(answer: str) -> bool:
    return answer.strip().lower() in ("yes", "y")
