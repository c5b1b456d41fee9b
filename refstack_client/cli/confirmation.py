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
        raise UsageError(
            f"cannot ask for confirmation, there is no terminal: {question}",
            hint=f"to do it without confirmation: {option}",
        )
    say(f"{question}. Ok? (yes/y): ")
    try:
        answer = input()
    except EOFError:
        answer = ""
    return answer.strip().lower() in ("yes", "y")
