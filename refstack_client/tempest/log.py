"""What Tempest's own log tells that its stream does not: whose tokens, and which tenants it made.

Tempest logs every answer, cut at 4096 characters, headers first. The log holds passwords: it lies
in the workspace and goes with it.
"""

import itertools
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_HEADERS = "Response - Headers: {"
_CREATED = "'status': '201'"
_WHAT = re.compile(r"/v3/(projects|users|auth/tokens)'")
_BODY = ("Body: b'", 'Body: b"')


@dataclass(frozen=True)
class Made:
    """Ids of the projects and users Tempest made, removed again or not."""

    projects: frozenset[str] = frozenset()
    users: frozenset[str] = frozenset()

    def __add__(self, other: "Made") -> "Made":
        return Made(self.projects | other.projects, self.users | other.users)


def roles_in_tokens(log: Path, excluded_user: str | None) -> list[dict[str, Any]]:
    """Return user, project and roles of every token that was given out.

    :param excluded_user: whose tokens only served to make and remove the tenants
    """
    seen: dict[str, dict[str, Any]] = {}
    text = log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""
    for what, body in _answers(text):
        record = _bearer(body) if what == "auth/tokens" else None
        if record and record["user"] != excluded_user:
            seen[json.dumps(record)] = record
    return list(seen.values())


def made(log: Path) -> Made:
    """Return what Tempest made."""
    return Follower(log).read()


class Follower:
    """Reads a log that is being written, each time what has come since."""

    def __init__(self, log: Path):
        self._log = log
        self._end = 0
        self.made = Made()

    def read(self) -> Made:
        """Return all that Tempest has made so far."""
        if self._log.exists():
            with self._log.open("rb") as content:
                content.seek(self._end)
                fresh = content.read()
            # An answer is two lines; one whose second is not there yet is read again.
            whole = fresh[: fresh.rfind(b"\n", 0, fresh.rfind(b"\n")) + 1]
            self._end += len(whole)
            self.made += _made(fresh.decode("utf-8", errors="replace"))
        return self.made


def _made(text: str) -> Made:
    ids: dict[str, set[str]] = {"projects": set(), "users": set()}
    for what, body in _answers(text):
        if what in ids:
            record = _value(body, what.removesuffix("s"))
            if record:
                ids[what].add(record["id"])
    return Made(frozenset(ids["projects"]), frozenset(ids["users"]))


def _answers(text: str) -> Iterator[tuple[str, str]]:
    """Yield what was made, and the body, of every answer that tells of it: two lines of a log."""
    for line, following in itertools.pairwise(text.split("\n")):
        headers = line.partition(_HEADERS)[2].partition(_CREATED)[2]
        body = following.lstrip()
        if headers.endswith("}") and body.startswith(_BODY) and (what := _WHAT.findall(headers)):
            escaped = body[len(_BODY[0]) :].encode("latin-1", "replace")
            yield what[-1], escaped.decode("unicode_escape")


def _bearer(body: str) -> dict[str, Any] | None:
    user, project, roles = (_value(body, key) for key in ("user", "project", "roles"))
    if not user or not roles:
        return None
    return {
        "user": user.get("name"),
        "project": project.get("name") if project else None,
        "roles": sorted(role["name"] for role in roles),
    }


def _value(text: str, key: str) -> Any:
    """Return the first JSON value under ``key``; the text as a whole may be cut and no JSON."""
    _, found, rest = text.partition(f'"{key}": ')
    try:
        return json.JSONDecoder().raw_decode(rest)[0] if found else None
    except ValueError:
        return None
