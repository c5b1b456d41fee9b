"""The anonymised members of a bundle: published words, names and numbers, and ``…`` for the rest.

Nothing private is searched for: what stays is what :mod:`.public_text` shows, times, digests, the
names that a run gives, and the structure of the files. To anonymise a bundle again changes nothing.
"""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import testtools

from capabilities import tempest_id
from capabilities.programme import Programme
from refstack_client.bundle.anonymous_hosts import Hosts
from refstack_client.files import json_text
from refstack_client.outcomes import public_text
from refstack_client.outcomes.cloud_facts import CloudFacts
from refstack_client.outcomes.plan_record import PlannedLimit, PlanRecord
from refstack_client.outcomes.public_text import HIDDEN

_ROUNDS = 8
"""What a text that is shown reveals of the structure of the whole can hide more of it."""
_NAME_OF_RUN = re.compile(rb"(?i)refstack-[0-9a-f]{6}(?:-c[0-9a-f]{10})?+(?![0-9a-z])")
_SAFE = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?(?:Z|[+-]\d\d:\d\d)?"  # a time
    r"|(?:sha256:)?[0-9a-f]{64}"
    r"|req-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
    r"|\d{8}T\d{6}Z-[0-9a-f]{6}"  # a run
    r"|refstack-[0-9a-f]{6}(?:-c[0-9a-f]{10})?"  # the start of its names
    r"|\d{1,5}|\d{1,3}/\d{1,3}"  # a number, a shard
)
_VERSION = re.compile(r"\d{1,4}(?:\.\d{1,4}){1,2}(?:\.?(?:a|b|rc|post|dev)\d{1,6})?")
_PACKAGES = frozenset(
    (
        *("designate-tempest-plugin", "heat-tempest-plugin", "tempest"),
        *("python", "python-subunit", "refstack-client", "stestr"),
    )
)
"""Names of published packages, whose versions a run records."""
_KEYS = frozenset(
    (
        *("attempt", "mode", "started", "ended", "retry_budget", "asked", "status", "interrupted"),
        *("run", "shard", "tokens", "user", "project", "roles", "packages", "versions"),
        *("image", "name", "digest", "base", "sbom"),
        *("challenge", "sha256", "prefix", "requests", "method", "request_id", "date"),
    )
)
"""The members of the records of ``attempts.jsonl`` that stay."""
_SECTION, _OPTION = re.compile(r"\[[\w-]+\]"), re.compile(r"(\w+)\s*=\s*(.*)")
_ATTRIBUTES = re.compile(r"\[(?:id-[0-9a-f-]{36}|[a-z_]+)?(?:,[a-z_]+)*\]")
_KEPT_ATTACHMENT = re.compile(r"(?:reason|traceback)(?:-\d{1,3})?")
_LOG, _WORKER, _ROUTE = "pythonlogging", re.compile(r"worker-\d{1,3}"), re.compile(r"[\d/]{1,16}")


def text(whole: str) -> str:
    """Return the public part of a text, line by line."""
    for _ in range(_ROUNDS):
        shown = "\n".join(map(public_text.text, whole.split("\n")))
        if shown == whole:
            break
        whole = shown
    return whole


def _value(whole: str) -> str:
    return whole if _SAFE.fullmatch(whole) else text(whole)


@dataclass(frozen=True)
class Anonymiser:
    """Anonymises the members of the bundle of a run, or of a stream without a plan."""

    programme: Programme
    record: PlanRecord | None

    @cached_property
    def _hosts(self) -> Hosts:
        cloud = self.record.basis.cloud if self.record else None
        return Hosts.of((cloud.auth_url, *cloud.endpoints.values()) if cloud else ())

    @cached_property
    def _wanted(self) -> frozenset[str]:
        """The keys and names of the tests of the programme, and what the plan found for them."""
        parts = self.programme.with_bases()
        tests = [test for part in parts for test in part.required_tests()]
        found = self.record.tests if self.record else ()
        return frozenset(
            {name for test in tests for name in (test.key, *test.names)}
            | {full for test in found for full in test.found}
        )

    def plan(self, content: bytes) -> bytes:
        """Return a ``plan.json``: of the cloud only which services it has, and roles."""
        record = PlanRecord.parse(content, "plan.json")
        versions = _versions(record.basis.versions)
        cloud = self._cloud(record.basis.cloud) if record.basis.cloud else None
        anonymous = replace(
            record,
            basis=replace(record.basis, versions=versions, cloud=cloud),
            tenants=text(record.tenants),
            tests=tuple(
                replace(test, why_missing=test.why_missing and text(test.why_missing))
                for test in record.tests
            ),
            limits=tuple(PlannedLimit(limit.name, text(limit.why)) for limit in record.limits),
            merged=tuple(
                replace(part, run=_value(part.run), shard=part.shard and _value(part.shard))
                for part in record.merged
            ),
        )
        return json_text(anonymous.as_json()).encode()

    def _cloud(self, cloud: CloudFacts) -> CloudFacts:
        return CloudFacts(
            name=HIDDEN,
            auth_url=self._hosts.hide(cloud.auth_url),
            region=HIDDEN,
            user=HIDDEN,
            project=HIDDEN,
            roles=tuple(map(text, cloud.roles)),
            endpoints={
                kind: self._hosts.hide(url)
                for kind, url in cloud.endpoints.items()
                if text(kind) == kind
            },
        )

    def tests(self, content: bytes) -> bytes:
        """Return a ``tests.txt``: the published tests, and those that the plan found."""
        lines = content.decode("utf-8").splitlines()
        kept = [line for line in lines if line in self._wanted or _is_public_test(line)]
        return "".join(f"{line}\n" for line in kept).encode()

    def attempts(self, content: bytes) -> bytes:
        """Return an ``attempts.jsonl``, each line of which is an object."""
        lines = (json.loads(line) for line in content.decode("utf-8").splitlines())
        return "".join(
            f"{json.dumps(_member(line), ensure_ascii=False)}\n" for line in lines
        ).encode()

    def conf(self, content: bytes) -> bytes:
        """Return a ``tempest.conf``: sections, options, and the values that are public."""
        return "".join(f"{line}\n" for line in self._conf_lines(content)).encode()

    def _conf_lines(self, content: bytes) -> Iterable[str]:
        for line in content.decode("utf-8", errors="replace").splitlines():
            stripped = line.strip()
            if not stripped or _SECTION.fullmatch(stripped):
                yield stripped
            elif option := _OPTION.fullmatch(stripped):
                name, value = option.groups()
                is_url = value.startswith(("http://", "https://"))
                yield f"{name} = {self._hosts.hide(value) if is_url else _value(value)}"

    def filter(self, target: testtools.StreamResult) -> testtools.StreamResult:
        """Return a stream that passes anonymised events on to ``target``.

        Attachments must come whole, from a
        :class:`~refstack_client.outcomes.redaction.Redactor`.
        """
        return _Filter(self, target)

    def test_id(self, full: str) -> str | None:
        """Return the id of a test of the stream as it stays, None for one that is left out."""
        if full in self._wanted or _is_public_test(full):
            return full
        test = tempest_id.parse(full)
        is_wanted = test and (test.idempotent_id in self._wanted or test.name in self._wanted)
        if test and is_wanted:
            attributes = f"[{test.idempotent_id}]" if test.idempotent_id else ""
            return f"{test.name}{attributes}"
        return full if not test and text(full) == full else None


def _is_public_test(full: str) -> bool:
    """Return whether the id of a test is public: its name, its attributes, and its scenario."""
    test = tempest_id.parse(full)
    if test is None or text(test.name) != test.name:
        return False
    rest = full.strip().removeprefix(test.name)
    attributes, _, scenario = rest.partition("(")
    is_public = not attributes or bool(_ATTRIBUTES.fullmatch(attributes))
    return is_public and (not scenario or text(f"({scenario}") == f"({scenario}")


def _versions(versions: Any) -> dict[str, str]:
    return {
        name: version if _VERSION.fullmatch(version) else HIDDEN
        for name, version in versions.items()
        if name in _PACKAGES
    }


def _member(value: Any, key: str = "") -> Any:
    """Return a value of ``attempts.jsonl``; ``key`` is that of the member."""
    match value:
        case dict():
            kept = _PACKAGES if key in ("packages", "versions") else _KEYS
            return {name: _member(inner, name) for name, inner in value.items() if name in kept}
        case list():
            return [_member(item, key) for item in value]
        case str():
            if key in ("user", "project"):
                return HIDDEN
            is_version = key in _PACKAGES and _VERSION.fullmatch(value)
            return value if is_version else _value(value)
    return value


class _Filter(testtools.StreamResult):
    """Anonymises the events of a stream."""

    def __init__(self, anonymiser: Anonymiser, target: testtools.StreamResult) -> None:
        super().__init__()
        self._anonymiser = anonymiser
        self._target = target

    def status(
        self,
        test_id: str | None = None,
        test_status: str | None = None,
        file_name: str | None = None,
        file_bytes: bytes | None = None,
        **event: Any,
    ) -> None:
        shown = self._anonymiser.test_id(test_id or "")
        if shown is None:
            return
        tags, route = event.get("test_tags") or (), event.get("route_code") or ""
        kept = {
            "test_id": shown,
            "test_status": test_status,
            "timestamp": event.get("timestamp"),
            "test_tags": {tag for tag in tags if _WORKER.fullmatch(tag)} or None,
            "route_code": route if _ROUTE.fullmatch(route) else None,
            "runnable": event.get("runnable", True),
        }
        content = _attachment(file_name or "", bytes(file_bytes or b""))
        if content:
            kept |= {"file_name": file_name, "file_bytes": content, "eof": event.get("eof", False)}
        if content or not file_name or test_status is not None:
            self._target.status(**kept)


def _attachment(name: str, content: bytes) -> bytes:
    """Return what stays of an attachment: of a log only the names that the run gave."""
    if _KEPT_ATTACHMENT.fullmatch(name):
        return text(content.decode("utf-8", errors="replace")).encode()
    if name.startswith(_LOG):
        found = {match[0].lower() for match in _NAME_OF_RUN.finditer(content)}
        return b"".join(name + b"\n" for name in sorted(found))
    return b""
