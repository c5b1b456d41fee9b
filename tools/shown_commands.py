"""Read the commands that a page of the documentation shows, and compare them with real output.

A page is reStructuredText. What is read of it:

* ``.. code-block:: console``: lines that begin with ``$`` are commands, the lines below each are
  what it prints. A line ``…`` or ``...`` stands for any number of lines, ``…`` in a line for any
  text. A command without lines below it must succeed, and its output is not compared.
* ``.. not run: REASON``, a comment right before such a block: its commands are not executed.
* ``.. code-block:: LANGUAGE`` with ``:caption: FILE``: a file that the reader writes.

The commands of a page run one after the other in one shell, so that variables and files stay. A
command may only fail where the page shows it: with ``$ echo $?`` as the next command.
"""

import difflib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from docutils import nodes
from docutils.core import publish_doctree
from docutils.parsers.rst import Directive, directives

ELISION = "…"
_ELISIONS = (ELISION, "...")
_NOT_RUN = "not run:"


@dataclass(frozen=True)
class Command:
    """A command and the output that the page shows below it."""

    text: str
    line: int
    """Index in the page of the first line of output, from 0."""
    indent: str
    output: tuple[str, ...] = ()


@dataclass(frozen=True)
class Block:
    """A block of commands, as it stands in a page; ``not_run`` is the reason not to execute it."""

    line: int
    commands: tuple[Command, ...]
    not_run: str = ""


@dataclass(frozen=True)
class File:
    """A file that the page asks its reader to write."""

    name: str
    text: str


@dataclass(frozen=True)
class Page:
    """What a page shows, in its order."""

    path: Path
    text: str
    steps: tuple[Block | File, ...]

    @property
    def blocks(self) -> tuple[Block, ...]:
        """Return the blocks of commands."""
        return tuple(step for step in self.steps if isinstance(step, Block))

    @property
    def executed(self) -> tuple[Command, ...]:
        """Return the commands that are executed."""
        return tuple(
            command for block in self.blocks if not block.not_run for command in block.commands
        )


class _Shown(Directive):
    """Keeps where the content of a code block stands, which docutils itself forgets."""

    has_content = True
    optional_arguments = 1
    final_argument_whitespace = True
    option_spec: ClassVar[dict[str, Any]] = {
        "caption": directives.unchanged,
        "emphasize-lines": directives.unchanged,
        "name": directives.unchanged,
        "class": directives.unchanged,
    }

    def run(self) -> list[nodes.Node]:
        """Return one literal block that knows its language, caption and first line."""
        text = "\n".join(self.content)
        node = nodes.literal_block(text, text)
        node["language"] = self.arguments[0] if self.arguments else ""
        node["caption"] = self.options.get("caption", "")
        node["first"] = self.content.items[0][1] if self.content else 0
        return [node]


def read(path: Path) -> Page:
    """Return what the page at ``path`` shows.

    :raises ValueError: a block of commands has output before the first command
    """
    directives.register_directive("code-block", _Shown)
    text = path.read_text(encoding="utf-8")
    # What only Sphinx knows (its roles, toctree) is skipped without a word.
    settings = {"report_level": 5, "halt_level": 5, "file_insertion_enabled": False}
    document = publish_doctree(text, source_path=str(path), settings_overrides=settings)
    lines = text.splitlines()
    found = (_step(node, lines, path) for node in document.findall(nodes.literal_block))
    return Page(path, text, tuple(step for step in found if step))


def _step(node: nodes.literal_block, lines: Sequence[str], path: Path) -> Block | File | None:
    if node.get("language") == "console":
        return Block(node["first"] + 1, tuple(_commands(node, lines, path)), _not_run(node))
    if node.get("caption"):
        return File(node["caption"], node.astext() + "\n")
    return None


def _not_run(node: nodes.literal_block) -> str:
    place = node.parent.index(node)
    before = node.parent[place - 1] if place else None
    text = before.astext().strip() if isinstance(before, nodes.comment) else ""
    return text.removeprefix(_NOT_RUN).strip() if text.startswith(_NOT_RUN) else ""


def _commands(node: nodes.literal_block, lines: Sequence[str], path: Path) -> Iterator[Command]:
    first = node["first"]
    raw = lines[first]
    indent = raw[: len(raw) - len(raw.lstrip())]
    rest = node.astext().split("\n")
    place = 0
    while place < len(rest):
        if not rest[place].startswith("$ "):
            raise ValueError(f"{path}:{first + place + 1}: output without a command above it")
        start = place
        place += 1
        while rest[place - 1].endswith("\\") and place < len(rest):
            place += 1
        text = "\n".join(rest[start:place]).removeprefix("$ ")
        begin = place
        while place < len(rest) and not rest[place].startswith("$ "):
            place += 1
        yield Command(text, first + begin, indent, tuple(rest[begin:place]))


_VOLATILE = {
    "RUN": r"\b\d{8}T\d{6}Z-[0-9a-f]{6}\b",
    "TENANT": r"\brefstack-[0-9a-f]{6}\b",
    "CLASS": r"\btempest-\w+-\d{5,}\b",
    "REQUEST": r"\breq-[0-9a-f-]{36}\b",
    "UUID": r"\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b",
    "KEY": r"SHA256:[\w+/]{43}",
    "HASH": r"\b(?=[0-9a-f]*\d)[0-9a-f]{12,}\b",
    "TIME": r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d)?(?:\.\d+)?(?:Z|\+00:00| UTC)?",
    "DATE": r"\b2\d{3}-\d\d-\d\d\b",
    "PORT": r"(?<=127\.0\.0\.1:)\d+",
    "DURATION": r"\b\d+ min \d+ s\b|\b\d+(?:\.\d+)? m?s\b|\b\d+:\d\d\b",
    "PARALLEL": r"\b\d+ tests? (?:at a time|in parallel|at once)\b|\b\d+ processors?\b",
    "PID": r"(?<=\| )\s*\d+(?= \| http)",
}
"""What differs from one execution to the next, by a name; earlier ones take precedence."""
_IDS = ("RUN", "TENANT", "CLASS", "REQUEST", "UUID", "KEY", "HASH", "PORT")
"""The volatile texts that name one thing all over a page."""
_VOLATILE_PATTERN = re.compile("|".join(f"(?P<{name}>{at})" for name, at in _VOLATILE.items()))


def normalised(line: str) -> str:
    """Return ``line`` without what differs from run to run: ids, times, ports, table widths."""
    named = _VOLATILE_PATTERN.sub(lambda match: f"<{match.lastgroup}>", line)
    return re.sub(r"[-=]{3,}", "---", re.sub(r"\s+", " ", named)).strip()


def is_same(shown: str, actual: str) -> bool:
    """Return whether one shown line describes the actual one."""
    parts = (re.escape(part) for part in normalised(shown).split(ELISION))
    return re.fullmatch(".*".join(parts), normalised(actual)) is not None


def agrees(shown: Sequence[str], actual: Sequence[str]) -> bool:
    """Return whether the shown lines, elisions included, describe the actual output."""
    first, *others = _segments(shown)
    if not others:
        return _is_at(first, actual, 0) and len(first) == len(actual)
    if not _is_at(first, actual, 0):
        return False
    place = len(first)
    *middle, last = others
    for segment in middle:
        found = next(
            (at for at in range(place, len(actual) + 1) if _is_at(segment, actual, at)), None
        )
        if found is None:
            return False
        place = found + len(segment)
    end = len(actual) - len(last)
    return end >= place and _is_at(last, actual, end)


def _is_at(segment: Sequence[str], actual: Sequence[str], place: int) -> bool:
    there = actual[place : place + len(segment)]
    return len(there) == len(segment) and all(map(is_same, segment, there))


def _segments(shown: Iterable[str]) -> list[list[str]]:
    segments: list[list[str]] = [[]]
    for line in shown:
        if line.strip() in _ELISIONS:
            segments.append([])
        else:
            segments[-1].append(line)
    return segments


@dataclass
class Rewriter:
    """Writes actual output in place of shown output, and changes no line that still agrees.

    Ids that a page already shows stay the same ones all over the page.
    """

    names: dict[str, str] = field(default_factory=dict)

    def output(self, shown: Sequence[str], actual: Sequence[str]) -> list[str]:
        """Return what to show: the actual output, with the elisions of the shown one."""
        if agrees(shown, actual):
            return list(shown)
        segments = _segments(shown)
        if len(segments) == 1:
            return self._merged(segments[0], actual)
        first, *middle, last = segments
        begin = _after(first, actual)
        end = max(begin, _before(last, actual))
        parts = [self._merged(first, actual[:begin])]
        place = begin
        for segment in middle:
            found = _nearest(segment, actual[:end], place)
            place = found + len(segment)
            parts.append(self._merged(segment, actual[found : min(place, end)]))
        parts.append(self._merged(last, actual[end:]))
        joined = parts[0]
        for part in parts[1:]:
            joined = [*joined, ELISION, *part]
        return joined

    def _merged(self, shown: Sequence[str], actual: Sequence[str]) -> list[str]:
        """Return the actual lines, each as the page has it where that still agrees."""
        pairs = _pairs(shown, actual)
        for old, new in pairs:
            if old is not None:
                self._learn(old, new)
        table_changed = any(old is None and new[:1] in "|+" for old, new in pairs if new)
        return [
            self._renamed(new) if old is None or (table_changed and new[:1] in "|+") else old
            for old, new in pairs
        ]

    def _learn(self, old: str, new: str) -> None:
        olds, news = (list(_VOLATILE_PATTERN.finditer(line)) for line in (old, new))
        if len(olds) == len(news):
            self.names.update(
                (new_id.group(), old_id.group())
                for old_id, new_id in zip(olds, news, strict=True)
                if new_id.lastgroup == old_id.lastgroup and new_id.lastgroup in _IDS
            )

    def _renamed(self, line: str) -> str:
        return _VOLATILE_PATTERN.sub(
            lambda match: self.names.get(match.group(), match.group()), line
        )


def _pairs(shown: Sequence[str], actual: Sequence[str]) -> list[tuple[str | None, str]]:
    """Return each actual line with the shown line that describes it, or None."""
    pairs: list[tuple[str | None, str]] = []
    place = 0
    for line in actual:
        same = (at for at in range(place, len(shown)) if is_same(shown[at], line))
        at = next(same, None) if line.strip() else None
        pairs.append((None if at is None else shown[at], line))
        place = place if at is None else at + 1
    return pairs


def _after(segment: Sequence[str], actual: Sequence[str]) -> int:
    """Return where the output that ``segment`` begins ends: after its last line, if it is found."""
    found = _most_alike(segment[-1], actual) if segment else None
    return min(len(segment), len(actual)) if found is None else found + 1


def _before(segment: Sequence[str], actual: Sequence[str]) -> int:
    """Return where the output that ``segment`` ends begins: at its first line, if it is found."""
    found = _most_alike(segment[0], actual) if segment else None
    return max(0, len(actual) - len(segment)) if found is None else found


def _nearest(segment: Sequence[str], actual: Sequence[str], place: int) -> int:
    found = _most_alike(segment[0], actual[place:]) if segment else None
    return place + (found or 0)


def _most_alike(line: str, actual: Sequence[str]) -> int | None:
    """Return the index of the actual line most like ``line``, None where none is like it."""
    wanted = normalised(line)
    ratios = [difflib.SequenceMatcher(None, wanted, normalised(each)).ratio() for each in actual]
    best = max(ratios, default=0.0)
    return ratios.index(best) if best >= 0.6 else None
