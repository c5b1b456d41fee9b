"""What is in a bundle: everything needed to judge a run again (docs/reference/bundle-format.rst).

The manifest names every other member with its SHA-256 and is what is signed. Outcomes and verdict
that a bundle states are compared with those that follow from its stream, and never trusted.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from capabilities import catalogue, flat_list, programme, reader
from capabilities.guideline import Guideline
from capabilities.programme import Programme
from refstack_client.bundle import archive, ssh_signature
from refstack_client.bundle.manifest import Manifest
from refstack_client.bundle.ssh_signature import Signer
from refstack_client.errors import InputError
from refstack_client.outcomes import (
    attestation,
    challenge,
    document,
    run_attempts,
    subunit_stream,
)
from refstack_client.outcomes.attestation import Attestation
from refstack_client.outcomes.challenge import SignedChallenge
from refstack_client.outcomes.document import OutcomeEntry
from refstack_client.outcomes.json_value import JsonValue
from refstack_client.outcomes.plan_record import PlanRecord
from refstack_client.outcomes.run_attempts import Retries, RunAttempt
from scoring.conformance.outcomes import Outcomes
from scoring.conformance.verdict import Verdict, judge

NAMESPACE = "bundle@refstack-client"
"""The namespace of the signature, as ssh-keygen(1) calls it."""

MANIFEST, SIGNATURE = "manifest.json", "manifest.json.sig"
GUIDELINES = ("guideline.json", "guideline.txt")
STREAM, OUTCOMES, VERDICT, REPORT = (
    "results.subunit",
    "outcomes.json",
    "verdict.json",
    "report.html",
)
PLAN, TESTS, ATTEMPTS, CONF = "plan.json", "tests.txt", "attempts.jsonl", "tempest.conf"
CHALLENGE = "challenge.txt"
"""The challenge of a certifier, if the run answers one."""
ATTESTATION, ATTESTATION_SIGNATURE = "attestation.json", "attestation.json.sig"
ALWAYS = (STREAM, OUTCOMES, VERDICT, REPORT)
FROM_RUN = (PLAN, TESTS, ATTEMPTS, CONF)
SBOM = "sbom.json"
"""The packages of the image, for a run in a container."""
KNOWN = {
    *GUIDELINES,
    *ALWAYS,
    *FROM_RUN,
    SBOM,
    CHALLENGE,
    ATTESTATION,
    ATTESTATION_SIGNATURE,
    MANIFEST,
    SIGNATURE,
}

Members = Mapping[str, bytes]


@dataclass(frozen=True)
class Bundle:
    """The members of a bundle. Each document is parsed once, when it is first asked for.

    A property raises :class:`InputError` or :class:`GuidelineError` where its member is missing or
    has another form.
    """

    members: Members

    @classmethod
    def read(cls, path: Path) -> "Bundle":
        """Read a bundle; only the form of the archive is checked.

        :raises ArchiveError: the file is not an archive as :mod:`archive` packs it
        """
        return cls(archive.read(path))

    @classmethod
    def unpack(cls, content: bytes, source: str) -> "Bundle":
        """As :meth:`read`, from bytes; ``source`` names them in messages."""
        return cls(archive.unpack(content, source))

    def has(self, name: str) -> bool:
        """Return whether the bundle has a member ``name``."""
        return name in self.members

    def member(self, name: str) -> bytes:
        """Return the content of the member ``name``.

        :raises InputError: the bundle has no such member
        """
        if name not in self.members:
            raise InputError(f"the bundle has no {name}")
        return self.members[name]

    @cached_property
    def manifest(self) -> Manifest:
        """The manifest."""
        return Manifest.parse(self.member(MANIFEST), MANIFEST)

    @cached_property
    def signer(self) -> Signer | None:
        """The key that signed the manifest, whoever owns it; None for a bundle without signature.

        Reading it raises :class:`SignatureError` if the signature is not valid.
        """
        return _signer(self.members)

    @cached_property
    def guideline(self) -> Guideline:
        """The guideline the results were judged by."""
        names = [name for name in GUIDELINES if self.has(name)]
        if len(names) != 1:
            raise InputError(f"the bundle has {len(names)} guidelines, not one")
        (name,) = names
        if name.endswith(".txt"):  # the name of a list is not in the list
            text = self.members[name].decode("utf-8-sig")
            return flat_list.parse(text, self.manifest.guideline, name)[0]
        return reader.parse(self.members[name], name)[0]

    @cached_property
    def programme(self) -> Programme:
        """The programme that the manifest names, with its base programmes."""
        return catalogue.with_bases(programme.find(self.guideline, self.manifest.programme))

    @cached_property
    def plan(self) -> PlanRecord | None:
        """The plan of the run, None for a bundle of a bare stream."""
        return PlanRecord.parse(self.member(PLAN), PLAN) if self.has(PLAN) else None

    @cached_property
    def attempts(self) -> tuple[RunAttempt, ...]:
        """Every start of the run, oldest first."""
        return tuple(map(RunAttempt.from_json, self.records))

    @cached_property
    def records(self) -> tuple[JsonValue, ...]:
        """What attempts.jsonl records of each start of the run, oldest first."""
        return run_attempts.records_in(self.members.get(ATTEMPTS, b"").decode())

    @property
    def retries(self) -> Retries | None:
        """How often failed tests were run again; None for a bundle of a bare stream."""
        return run_attempts.retries_of(self.attempts) if self.has(ATTEMPTS) else None

    @cached_property
    def outcomes(self) -> Outcomes:
        """The outcomes that follow from the stream."""
        content = self.member(STREAM)
        return subunit_stream.parse(content, STREAM) if content else Outcomes(())

    @cached_property
    def verdict(self) -> Verdict:
        """The verdict that follows from guideline, plan and stream."""
        return self.judge()

    def judge(self, max_retries: int | None = None) -> Verdict:
        """Judge the outcomes.

        :param max_retries: how often a test may be repeated; None for what the run itself allowed
        """
        matches = self.plan.matches(self.programme) if self.plan else None
        counted = run_attempts.most_retries(self.retries, max_retries)
        return judge(self.programme, self.outcomes, matches, max_retries=counted)

    @cached_property
    def stated_outcomes(self) -> tuple[OutcomeEntry, ...]:
        """The outcomes that the bundle states."""
        return document.parse(self.member(OUTCOMES), OUTCOMES)

    @cached_property
    def challenge(self) -> SignedChallenge | None:
        """The challenge that the run answers, None where the bundle has none."""
        content = self.members.get(CHALLENGE)
        return None if content is None else challenge.parse(content, CHALLENGE)

    @cached_property
    def attestation(self) -> Attestation | None:
        """The attestation of the designated sections, None where the bundle has none."""
        content = self.members.get(ATTESTATION)
        return None if content is None else attestation.read(content, ATTESTATION)


def signer_of(path: Path, source: str) -> Signer | None:
    """Return the key that signed a bundle, as :attr:`Bundle.signer`, without reading the rest.

    :raises InputError: the file is not a bundle, or the signature is not valid
    """
    members = archive.small_members(path, (MANIFEST, SIGNATURE), source)
    if MANIFEST not in members:
        raise InputError(f"{source} has no {MANIFEST} of at most {archive.SMALL} bytes")
    return _signer(members)


def _signer(members: Members) -> Signer | None:
    if SIGNATURE not in members:
        return None
    return ssh_signature.check(members[MANIFEST], members[SIGNATURE], NAMESPACE)
