"""Compute the manifest of a bundle: to pack it, and to check what a manifest states."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from importlib import metadata

from refstack_client.bundle.contents import ATTEMPTS, CHALLENGE, Members
from refstack_client.bundle.manifest import (
    OF_RUN,
    OF_STREAM,
    Manifest,
    MemberDigest,
    StatedCloud,
)
from refstack_client.outcomes import challenge, cpid, run_attempts
from refstack_client.outcomes.json_value import JsonValue
from refstack_client.outcomes.plan_record import PlanRecord
from refstack_client.outcomes.run_attempts import CUT_OFF
from scoring.conformance.verdict import Verdict


def members(
    verdict: Verdict, plan: PlanRecord | None, others: Members, *, anonymous: bool
) -> Manifest:
    """Return the manifest that follows from a verdict and the other members of a bundle.

    :param plan: of the run; None for a bundle of a bare stream
    :raises InputError: a line of attempts.jsonl has another form
    """
    chosen = verdict.programme
    attempts = run_attempts.records_in(others.get(ATTEMPTS, b"").decode())
    cloud = plan.basis.cloud if plan else None
    return Manifest(
        guideline=chosen.guideline.id,
        guideline_sha256=chosen.guideline.digest,
        programme=chosen.key,
        verdict=str(verdict.conformance),
        source=OF_RUN if plan else OF_STREAM,
        anonymous=anonymous,
        members={
            name: MemberDigest(hashlib.sha256(content).hexdigest(), len(content))
            for name, content in sorted(others.items())
        },
        made_by={"refstack-client": metadata.version("refstack-client")},
        versions=plan.basis.versions if plan else {},
        images=_different(attempts, "image"),
        packages=_different(attempts, "packages"),
        started=min(_texts(attempts, "started"), default=None),
        ended=max((time for time in _texts(attempts, "ended") if time != CUT_OFF), default=None),
        cpid=cpid.of_facts(cloud) if cloud else None,
        cloud=StatedCloud(cloud.auth_url, cloud.region, cloud.endpoints) if cloud else None,
        roles=tuple(sorted(_roles(attempts))),
        challenge=_challenge(others.get(CHALLENGE)),
        cloud_identity=_cloud_identity(attempts),
    )


def _texts(attempts: Iterable[JsonValue], key: str) -> list[str]:
    return [attempt.member(key).text() for attempt in attempts if attempt.has(key)]


def _different(attempts: Iterable[JsonValue], key: str) -> tuple[Mapping[str, object], ...]:
    """Return the different objects that the attempts have, in their order."""
    found = [attempt.member(key).object() for attempt in attempts if attempt.has(key)]
    return tuple({json.dumps(item): item for item in found}.values())


def _roles(attempts: Iterable[JsonValue]) -> set[str]:
    """Return every role in a token that a test used."""
    return {
        role
        for attempt in attempts
        if attempt.has("tokens")
        for token in attempt.member("tokens").items()
        for role in token.member("roles").texts()
    }


def _challenge(content: bytes | None) -> Mapping[str, object] | None:
    return challenge.parse(content, CHALLENGE).challenge.as_json() if content else None


def _cloud_identity(attempts: Iterable[JsonValue]) -> Mapping[str, object] | None:
    """Return the last one that a start of the run recorded."""
    placed = (attempt.member("challenge") for attempt in attempts if attempt.has("challenge"))
    found = [record.member("cloud").object() for record in placed if record.has("cloud")]
    return found[-1] if found else None
