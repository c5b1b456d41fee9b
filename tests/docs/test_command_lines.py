"""Command lines that pages show, those that are not executed included, are valid."""

import shlex
from pathlib import Path

import docs_outputs
import pytest
import shown_commands

from refstack_client.cli.app import Shell

ROOT = Path(__file__).resolve().parents[2]


def shown() -> list[tuple[str, list[str]]]:
    lines = []
    for path in docs_outputs.pages():
        for block in shown_commands.read(path).blocks:
            for command in block.commands:
                words = shlex.split(command.text.replace("\\\n", " "))
                if words[0] == "refstack-client":
                    place = f"{path.relative_to(ROOT)}:{command.line}"
                    lines.append((place, arguments(words[1:])))
    return lines


def arguments(words: list[str]) -> list[str]:
    """Return the words before a pipe or a redirection."""
    ends = [at for at, word in enumerate(words) if word in ("|", ">", "2>", "&&")]
    return words[: min(ends, default=len(words))]


@pytest.mark.parametrize(("place", "line"), [pytest.param(*each, id=each[0]) for each in shown()])
def test_a_command_line_is_valid(place: str, line: list[str]) -> None:
    shell = Shell()
    # Options of the program, such as -v, may be anywhere in the line.
    _, remainder = shell.parser.parse_known_args(line)
    factory, name, rest = shell.command_manager.find_command(remainder)

    parser = factory(shell, None).get_parser(name)

    parser.parse_args(rest)
