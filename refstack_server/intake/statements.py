"""What is stored of a bundle beside its outcomes: who signed it, and the attestation in it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.orm import Session

from refstack_client.bundle import contents as bundle_contents
from refstack_client.bundle import ssh_signature
from refstack_client.bundle.contents import Bundle
from refstack_client.errors import ClientError
from refstack_client.outcomes import attestation
from refstack_server.store import blobs
from refstack_server.store.errors import InvalidError
from refstack_server.store.schema import Kind, Result
from refstack_server.store.text import LONGEST, stored


@dataclass(frozen=True)
class Statements:
    """The columns ``signer`` and ``attestation`` of a result, as the schema describes them."""

    signer: str
    attestation: Mapping[str, object] | None


def of_bundle(bundle: Bundle) -> Statements:
    """Return what a valid bundle states.

    :raises InvalidError: a name in the attestation cannot be stored and shown
    """
    signer = bundle.signer.fingerprint if bundle.signer else ""
    return Statements(signer, _attestation(bundle))


def _attestation(bundle: Bundle) -> Mapping[str, object] | None:
    found = bundle.attestation
    if found is None:
        return None
    for name, text in (("by", found.by), ("product", found.product)):
        if stored(text) != text:
            raise InvalidError(
                "The bundle is not valid",
                f"attestation: {name} must be one line of at most {LONGEST} visible characters",
            )
    answers = {statement.section: statement.answer for statement in found.sections}
    return {
        "by": found.by,
        "product": found.product,
        "date": date.fromisoformat(found.date).isoformat(),
        # Only what the programme asks for: a bundle may have any number of other answers.
        "sections": {
            section: attestation.YES if answers.get(section) == attestation.YES else attestation.NO
            for section in bundle.programme.designated_sections
        },
        "signer": _signer(bundle),
    }


def _signer(bundle: Bundle) -> str:
    """Return the fingerprint of the key that signed the attestation itself, "" without one."""
    if not bundle.has(bundle_contents.ATTESTATION_SIGNATURE):
        return ""
    content, signature = (
        bundle.member(name)
        for name in (bundle_contents.ATTESTATION, bundle_contents.ATTESTATION_SIGNATURE)
    )
    return ssh_signature.check(content, signature, attestation.NAMESPACE).fingerprint


def record(engine: sa.Engine, data: Path) -> list[str]:
    """Store the statements of bundles that an earlier release stored without them.

    :return: the ids of results whose bundle cannot be read
    """
    unreadable = []
    query = sa.select(Result.id, Result.sha256).where(
        Result.kind == Kind.BUNDLE, Result.signer.is_(None)
    )
    with Session(engine) as session:
        rows = session.execute(query).tuples().all()
        session.rollback()  # Servers of this release can write while the bundles are read.
        for result_id, sha256 in rows:
            try:
                found = of_bundle(Bundle.read(blobs.path_of(data, str(sha256))))
            except (ClientError, InvalidError, OSError):
                unreadable.append(result_id)
                continue
            session.execute(
                sa.update(Result)
                .where(Result.id == result_id)
                .values(signer=found.signer, attestation=found.attestation)
            )
            session.commit()
    return unreadable
