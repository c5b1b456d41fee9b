"""The attestation of a vendor on the designated sections of a guideline.

OpenStack Powered requires it beside the tests. A product without it can be OpenStack Compatible.
"""

import datetime
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from capabilities.guideline import Guideline
from refstack_client.errors import InputError
from refstack_client.files import json_text
from refstack_client.outcomes.json_value import loads

FORMAT = 1
NAMESPACE = "attestation@refstack-client"
YES, NO = "yes", "no"
_HINT = "create one: refstack-client attest"


@dataclass(frozen=True)
class Statement:
    """The answer for a section: yes if the product runs its upstream code, else no."""

    section: str
    answer: str
    note: str = ""


@dataclass(frozen=True)
class Attestation:
    """Who attests on which date (ISO 8601) which designated sections a product runs."""

    guideline: str
    sha256: str
    programme: str
    product: str
    by: str
    date: str
    sections: tuple[Statement, ...]

    def missing(self, sections: Iterable[str]) -> tuple[str, ...]:
        """Return the sections that are not attested with yes."""
        attested = {statement.section for statement in self.sections if statement.answer == YES}
        return tuple(section for section in sections if section not in attested)

    def content(self) -> bytes:
        """Return the content of the file; the same statements give the same bytes."""
        return json_text({"format": FORMAT, **asdict(self)}).encode()


def answers(content: bytes, source: str, sections: Iterable[str]) -> tuple[Statement, ...]:
    """Read answers to each section from YAML: ``nova: yes``, or an object of answer and note.

    :raises InputError: a section is not answered or not known, or an answer is neither yes nor no
    """
    # Only here: reading an attestation needs no YAML, and every verdict would wait for its import.
    from refstack_client import yaml_text  # noqa: PLC0415

    try:
        document = yaml_text.load(content)
    except yaml_text.InvalidYamlError as error:
        raise InputError(f"{source} is not valid YAML: {error}") from error
    if not isinstance(document, dict):
        raise InputError(f"{source}: expected an answer per section", hint="as in nova: yes")
    wanted = list(sections)
    for name in document:
        if name not in wanted:
            raise InputError(
                f"{source}: /{name}: the programme designates no section of {name}",
                hint=f"it designates {', '.join(wanted)}",
            )
    return tuple(_statement(name, document.get(name), source) for name in wanted)


def _statement(section: str, value: Any, source: str) -> Statement:
    raw = value if isinstance(value, dict) else {"answer": value}
    answer = {True: YES, False: NO, YES: YES, NO: NO}.get(raw.get("answer"))
    if answer is None:
        raise InputError(
            f"{source}: /{section}: expected yes or no",
            hint="yes: the product runs the upstream code of its designated sections",
        )
    return Statement(section, answer, str(raw.get("note") or ""))


def read(content: bytes, source: str) -> Attestation:
    """Read an attestation.

    :raises InputError: the file is not a valid attestation
    """
    try:
        document: Any = loads(content)
        if document.pop("format") != FORMAT:
            raise InputError(f"{source}: not of format {FORMAT}", hint=_HINT)
        sections = tuple(Statement(**section) for section in document.pop("sections"))
        found = Attestation(**document, sections=sections)
        datetime.date.fromisoformat(found.date)
        texts = (
            found.product,
            found.by,
            *(text for one in sections for text in vars(one).values()),
        )
        if not all(isinstance(text, str) for text in texts):
            raise TypeError("a member is not text")
        if len({section.section for section in sections}) < len(sections):
            raise ValueError("a section has two answers")
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise InputError(f"{source} is not a valid attestation: {error}", hint=_HINT) from error
    return found


def check_of(found: Attestation, guideline: Guideline, programme: str) -> None:
    """Check that an attestation is for a guideline and a programme.

    :raises InputError: it is for others
    """
    stated: Mapping[str, tuple[str, str]] = {
        "guideline": (found.guideline, guideline.id),
        "guideline's digest": (found.sha256, guideline.digest),
        "programme": (found.programme, programme),
    }
    for what, (one, other) in stated.items():
        if one != other:
            raise InputError(f"the attestation's {what} is {one}, that of the results {other}")
