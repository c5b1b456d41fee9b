"""Read tenant users from an accounts file of Tempest, with the meaning that Tempest gives it.

The roles in the file are ignored: those in the tokens count (:mod:`.existing_users`).
"""

import difflib
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

import yaml

from capabilities import file_content
from refstack_client import yaml_text
from refstack_client.cloud.account import Account
from refstack_client.errors import CloudError, InputError
from refstack_client.outcomes.cloud_facts import ADMIN_ROLE
from refstack_client.yaml_text import InvalidYamlError

FEWEST = 2
"""Users that a test class may need at a time: a primary and an alternate."""

MOST_BYTES = 256_000
_MOST_KEYS = 1000
"""Of a mapping: anchors that are merged again and again would grow without limit."""

_TEXTS = (
    *("username", "password", "project_name", "tenant_name"),
    *("domain_name", "user_domain_name", "project_domain_name"),
)
_IGNORED = ("types", "roles", "resources")
_IDS = ("user_id", "project_id", "tenant_id", "domain_id", "user_domain_id", "project_domain_id")
_DEFAULT_DOMAIN = "Default"

_KINDS: Mapping[type, str] = {
    **dict.fromkeys((bool, int, float), "a number or a truth value"),
    **dict.fromkeys((date, datetime), "a date"),
    **dict.fromkeys((list, dict, set), "a list or a mapping"),
}

_HINT = (
    "list at least two tenant users in it, each with username, password, project_name and "
    "domain_name (docs/how-to/credentials.rst shows one)"
)


def read(path: Path) -> tuple[Account, ...]:
    """Read an accounts file (a YAML list, as ``tempest account-generator`` writes it).

    :raises InputError: the file cannot be read, is not such a list, or a user is not one as whom
        tests can run; names the JSON pointer of the entry or the line
    :raises CloudError: the file lists fewer than two users
    """
    users = entries(path)
    if len(users) < FEWEST:
        count = "no user" if not users else "one user"
        raise CloudError(
            f"the accounts file {path} has {count}; the tests need at least two at a time",
            hint=_HINT,
        )
    return users


def entries(path: Path) -> tuple[Account, ...]:
    """Read the users of an accounts file, however few; errors as for :func:`read`."""
    accounts: dict[tuple[str, str], int] = {}
    users = []
    for number, entry in enumerate(_load(path)):
        try:
            user = _account(entry)
        except ValueError as error:
            raise InputError(f"{path}: /{number}{error}", hint=_HINT) from None
        first = accounts.setdefault((user.username, user.domain_name), number)
        if first != number:
            raise InputError(
                f"{path}: /{number}: the user {user.username} is listed before, as /{first}",
                hint="list each user once; tests need different users",
            )
        users.append(user)
    return tuple(users)


def _load(path: Path) -> Sequence[Any]:
    if path.is_fifo():
        raise InputError(f"{path} is a pipe, which can be read only once", hint="name a file")
    try:
        entries = yaml_text.load(file_content.read(path, MOST_BYTES), _Loader) or []
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}", hint=_HINT) from error
    except InvalidYamlError as error:
        raise InputError(f"{path} is not valid YAML: {error}", hint=_HINT) from None
    if not isinstance(entries, list):
        raise InputError(f"{path}: expected a list of users", hint=_HINT)
    return entries


class _Loader(yaml.SafeLoader):
    """A loader that refuses what a plain SafeLoader drops or what would grow without limit."""

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        node = super().compose_mapping_node(anchor)
        keys = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        if len(set(keys)) < len(keys):
            raise yaml.MarkedYAMLError(None, None, "a key occurs twice", node.start_mark)
        return node

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        super().flatten_mapping(node)
        if len(node.value) > _MOST_KEYS:
            raise yaml.MarkedYAMLError(None, None, "too many keys", node.start_mark)


def _account(entry: Any) -> Account:
    """Return the user of an entry.

    :raises ValueError: it is not one as whom tests can run; the rest of the pointer, and why
    """
    if not isinstance(entry, Mapping):
        raise ValueError(": expected a user")
    for key, value in entry.items():
        _check(str(key), value)
    texts = {key: entry[key] for key in _TEXTS if entry.get(key)}
    projects = {texts[key] for key in ("project_name", "tenant_name") if key in texts}
    for key, is_there in (
        ("username", "username" in texts),
        ("password", "password" in texts),
        ("project_name", bool(projects)),
    ):
        if not is_there:
            raise ValueError(f": {key} is missing")
    if len(projects) > 1:
        raise ValueError(": project_name and tenant_name differ")
    user, project = texts.get("user_domain_name"), texts.get("project_domain_name")
    both = texts.get("domain_name")
    return Account(
        texts["username"],
        texts["password"],
        projects.pop(),
        user or both or project or _DEFAULT_DOMAIN,
        network=(entry.get("resources") or {}).get("network") or "",
        project_domain=project or both or user or _DEFAULT_DOMAIN,
    )


def _check(key: str, value: Any) -> None:
    """Check a key of an entry and its value.

    :raises ValueError: the rest of the pointer, and the reason
    """
    if key == "system":
        raise ValueError("/system: the tests run as users of projects, not of the system")
    if key in _IDS:
        named = key.removesuffix("_id") + "_name" if key != "user_id" else "username"
        raise ValueError(f"/{key}: an id is not supported; use {named}")
    if key in _TEXTS and value is not None and not isinstance(value, str):
        raise ValueError(
            f"/{key}: this is {_KINDS.get(type(value), 'not text')} in YAML: use quotes"
        )
    if key in ("types", "roles") and not isinstance(value, list | None):
        raise ValueError(f"/{key}: expected a list")
    if key == "types" and ADMIN_ROLE in (value or ()):
        raise ValueError("/types: an admin, but tests must not run as an admin")
    if key == "resources":
        network = value.get("network") if isinstance(value, Mapping) else None
        if (value and not isinstance(value, Mapping)) or not isinstance(network, str | None):
            raise ValueError("/resources: expected network: NAME")
    if key not in (*_TEXTS, *_IGNORED):
        near = difflib.get_close_matches(key, _TEXTS, n=1)
        more = f"; did you mean {near[0]}?" if near else ""
        raise ValueError(f": unknown key {key[:40]!r}{more}")
