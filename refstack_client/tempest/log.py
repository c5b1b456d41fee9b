"""Read from Tempest's own log what its stream lacks: roles in tokens, and tenants it created.

Tempest logs every response, headers first, cut at 4096 characters. The log contains passwords. It
is in the workspace and is removed with it.
"""

import itertools
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypedDict

_HEADERS = "Response - Headers: {"
_CREATED = "'status': '201'"
_RESOURCE = re.compile(r"/v3/(projects|users|auth/tokens)'")
_BODY = ("Body: b'", 'Body: b"')


class TokenRoles(TypedDict):
    """A token as attempts.jsonl records it: names of user and project, and the roles."""

    user: str
    project: str | None
    roles: list[str]


@dataclass(frozen=True)
class CreatedIds:
    """Ids of the projects and users that Tempest created, including those it removed again."""

    projects: frozenset[str] = frozenset()
    users: frozenset[str] = frozenset()

    def __add__(self, other: "CreatedIds") -> "CreatedIds":
        """Return the ids of both."""
        return CreatedIds(self.projects | other.projects, self.users | other.users)


def roles_in_tokens(log: Path, excluded_user: str | None) -> list[TokenRoles]:
    """Return user, project and roles of every token that was issued, each once.

    :param excluded_user: name of the user whose tokens only create and remove tenants
    """
    seen: dict[str, TokenRoles] = {}
    text = log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""
    for resource, body in _responses(text):
        record = _token_roles(body) if resource == "auth/tokens" else None
        if record and record["user"] != excluded_user:
            seen[json.dumps(record)] = record
    return list(seen.values())


def created_ids(log: Path) -> CreatedIds:
    """Return the ids in a complete log; none if there is no log."""
    return LogTail(log).read()


class LogTail:
    """Read a log while it is written, each time only what was added.

    ``created`` are the ids read so far.
    """

    def __init__(self, log: Path):
        """Start at the beginning of ``log``, which need not exist yet."""
        self._log = log
        self._end = 0
        self.created = CreatedIds()

    def read(self) -> CreatedIds:
        """Read what was added; return all ids so far."""
        if self._log.exists():
            with self._log.open("rb") as content:
                content.seek(self._end)
                added = content.read()
            # A response is two lines. One whose second line is missing is read again next time.
            complete = added[: added.rfind(b"\n", 0, added.rfind(b"\n")) + 1]
            self._end += len(complete)
            self.created += _created_ids(added.decode("utf-8", errors="replace"))
        return self.created


def _created_ids(text: str) -> CreatedIds:
    ids: dict[str, set[str]] = {"projects": set(), "users": set()}
    for resource, body in _responses(text):
        if resource in ids:
            record = _value(body, resource.removesuffix("s"))
            if record:
                ids[resource].add(record["id"])
    return CreatedIds(frozenset(ids["projects"]), frozenset(ids["users"]))


def _responses(text: str) -> Iterator[tuple[str, str]]:
    """Yield resource and body of every response that reports a creation: two lines of a log."""
    for line, following in itertools.pairwise(text.split("\n")):
        headers = line.partition(_HEADERS)[2].partition(_CREATED)[2]
        body = following.lstrip()
        if (
            headers.endswith("}")
            and body.startswith(_BODY)
            and (resources := _RESOURCE.findall(headers))
        ):
            escaped = body[len(_BODY[0]) :].encode("latin-1", "replace")
            yield resources[-1], escaped.decode("unicode_escape")


def _token_roles(body: str) -> TokenRoles | None:
    user, project, roles = (_value(body, key) for key in ("user", "project", "roles"))
    if not user or not roles:
        return None
    return {
        "user": user.get("name"),
        "project": project.get("name") if project else None,
        "roles": sorted(role["name"] for role in roles),
    }


def _value(text: str, key: str) -> Any:
    """Return the first JSON value of ``key``; the text as a whole may be cut and not be JSON."""
    _, found, rest = text.partition(f'"{key}": ')
    try:
        return json.JSONDecoder().raw_decode(rest)[0] if found else None
    except ValueError:
        return None
