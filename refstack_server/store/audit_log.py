"""The public log: what was published, verified, taken back, each line bound to those before it.

Lines are only ever added: the database itself refuses to change or remove one, and who has kept a
line's digest can tell whether any before it was.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from refstack_server.store.schema import Count, Line, Result, now

_LINES = "lines of the log"
_FIRST = "0" * 64


class Event(StrEnum):
    PUBLISHED = "published"
    WITHDRAWN = "withdrawn"
    VERIFIED = "verified"
    REVOKED = "revoked"
    REMOVED = "removed"


def add(session: Session, result: Result, event: Event, **more: Any) -> None:
    """Add a line about a result of somebody's; what is nobody's is not worth one."""
    if result.openid is None:
        return
    # Whoever adds another line waits for this transaction.
    counting = sa.update(Count).where(Count.what == _LINES).values(number=Count.number + 1)
    session.execute(counting)
    last = session.scalar(sa.select(Line).order_by(Line.number.desc()).limit(1))
    told = {
        "at": now().isoformat(),
        "event": str(event),
        "result": result.id,
        "sha256": result.sha256,
        "guideline": result.guideline,
        "programme": result.programme,
        "conformance": result.conformance,
        **more,
    }
    text = json.dumps(told, sort_keys=True)
    previous = last.digest if last else _FIRST
    number = last.number + 1 if last else 1
    session.add(Line(number=number, text=text, digest=_digest(previous, text)))


def lines(session: Session, after: int, most: int) -> Iterator[dict[str, Any]]:
    """Yield lines from behind the one of that number, oldest first."""
    query = sa.select(Line).where(Line.number > after).order_by(Line.number).limit(most)
    for each in session.scalars(query):
        yield {"number": each.number, "text": each.text, "digest": each.digest}


def is_whole(found: Iterable[dict[str, Any]]) -> bool:
    """Return whether all lines of a log, from the first on, are as they were written."""
    previous = _FIRST
    for number, each in enumerate(found, start=1):
        previous = _digest(previous, each["text"])
        if (each["number"], each["digest"]) != (number, previous):
            return False
    return True


def _digest(previous: str, text: str) -> str:
    return hashlib.sha256(f"{previous}\n{text}".encode()).hexdigest()
