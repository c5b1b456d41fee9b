"""The prose of the project: text in Python files, templates, documents and scripts."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_CODE_IN_TEMPLATE = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|<style.*?</style>|<script.*?</script>", re.S)


@dataclass(frozen=True)
class Passage:
    """A piece of prose.

    :param line: number of its first line, from 1
    :param text: its text, which can have several lines
    """

    line: int
    text: str


def read(path: Path, *, literals: bool = True) -> Iterator[Passage]:
    """Yield the prose of a file.

    :param literals: whether the string literals of a Python file that are not docstrings count
    """
    content = path.read_text(encoding="utf-8")
    if path.suffix == ".py":
        yield from _docstrings(content)
        yield from _comments(content)
        if literals:
            yield from _literals(content)
    else:
        yield Passage(1, _CODE_IN_TEMPLATE.sub(_blank, content))


def _blank(match: re.Match[str]) -> str:
    """Replace code with spaces, so that line numbers stay the same."""
    return re.sub(r"[^\n]", " ", match[0])


def _docstrings(content: str) -> Iterator[Passage]:
    """Yield docstrings, and strings that follow an assignment to document it."""
    for node in ast.walk(ast.parse(content)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            text = node.value.value
            if isinstance(text, str):
                yield Passage(node.lineno, text)


def _comments(content: str) -> Iterator[Passage]:
    """Yield comments. Comments on consecutive lines are one passage."""
    first = last = 0
    lines: list[str] = []
    for token in tokenize.generate_tokens(io.StringIO(content).readline):
        if token.type != tokenize.COMMENT:
            continue
        if lines and token.start[0] != last + 1:
            yield Passage(first, "\n".join(lines))
            lines = []
        if not lines:
            first = token.start[0]
        last = token.start[0]
        lines.append(token.string.lstrip("#! "))
    if lines:
        yield Passage(first, "\n".join(lines))


def _literals(content: str) -> Iterator[Passage]:
    """Yield string literals of more than one word: one word is a key or a name."""
    pending: list[ast.AST] = [ast.parse(content)]
    while pending:
        node = pending.pop()
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            continue  # a docstring
        text = _text(node)
        if text is None:
            pending.extend(ast.iter_child_nodes(node))
            continue
        if isinstance(node, ast.JoinedStr):
            pending.extend(part for part in node.values if isinstance(part, ast.FormattedValue))
        if " " in text.strip():
            yield Passage(node.lineno, text)


def _text(node: ast.AST) -> str | None:
    """Return the text of a string literal, with ``{}`` for each value in it."""
    if isinstance(node, ast.JoinedStr):
        return "".join(
            str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values
        )
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    return None
