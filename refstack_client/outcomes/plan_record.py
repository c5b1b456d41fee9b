"""The plan of a run as ``plan.json`` records it: the one reader and the one writer of that file."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from capabilities import tempest_id
from capabilities.matching import Match, MatchKind
from capabilities.programme import Programme
from refstack_client.outcomes.cloud_facts import CloudFacts
from refstack_client.outcomes.json_value import JsonObject, JsonValue

FORMAT = 1


@dataclass(frozen=True)
class PlannedTest:
    """A counted test of the programme and the full ids of the tests of Tempest that match it."""

    id: str | None
    name: str
    match: MatchKind
    found: tuple[str, ...]
    why_missing: str | None = None

    @classmethod
    def of(cls, match: Match, why_missing: str | None = None) -> "PlannedTest":
        """Return the record of ``match``."""
        found = tuple(test.full for test in match.found)
        return cls(match.test.idempotent_id, match.test.name, match.kind, found, why_missing)

    @classmethod
    def from_json(cls, document: JsonValue) -> "PlannedTest":
        """Read an item of ``/tests``."""
        return cls(
            id=document.member("id").text_or_none(),
            name=document.member("name").text(),
            match=document.member("match").choice(MatchKind),
            found=document.member("found").texts(),
            why_missing=document.optional("why", JsonValue.text, None),
        )

    @property
    def key(self) -> str:
        """Return what identifies the test in its guideline: its idempotent ID, else its name."""
        return self.id or self.name

    def as_json(self) -> JsonObject:
        """Return the form that :meth:`from_json` reads."""
        why = {} if self.why_missing is None else {"why": self.why_missing}
        return {
            "id": self.id,
            "name": self.name,
            "match": str(self.match),
            "found": list(self.found),
            **why,
        }


@dataclass(frozen=True)
class PlannedLimit:
    """A counted test that cannot pass with the credentials of the run, and why."""

    name: str
    why: str


@dataclass(frozen=True)
class MergedPart:
    """A run that was merged into this one, and the shard it was ("1/2"), if it was one."""

    run: str
    shard: str | None


@dataclass(frozen=True)
class Basis:
    """What two runs must have in common to make one verdict: guideline, Tempest and cloud."""

    guideline: str
    guideline_sha256: str
    versions: Mapping[str, str]
    """Versions of Tempest and its plugins by package name."""
    cloud: CloudFacts | None


@dataclass(frozen=True)
class PlanRecord:
    """Which tests of which programme a run was to run, where, as whom and for how long."""

    basis: Basis
    programme: str
    tenants: str
    concurrency: int
    estimated_seconds: int
    tests: tuple[PlannedTest, ...]
    shard: str | None = None
    """Which part of the tests the run was to run ("1/2"), None for all."""
    quick: bool = False
    """Only one test for each required capability was to run, which certifies nothing."""
    limits: tuple[PlannedLimit, ...] = ()
    merged: tuple[MergedPart, ...] = ()

    @classmethod
    def parse(cls, content: bytes, source: str) -> "PlanRecord":
        """Read the content of a ``plan.json``.

        :param source: name of the file, for messages
        :raises InputError: it has another form; names file and JSON pointer
        """
        return cls.from_json(JsonValue.parse(content, source))

    @classmethod
    def from_json(cls, document: JsonValue) -> "PlanRecord":
        """Read what :meth:`as_json` wrote.

        :raises InputError: it has another form; names file and JSON pointer
        """
        if (version := document.member("format")).number() != FORMAT:
            raise version.error(f"this release reads format {FORMAT}, not {version.value}")
        guideline = document.member("guideline")
        return cls(
            basis=Basis(
                guideline=guideline.member("id").text(),
                guideline_sha256=guideline.member("sha256").text(),
                versions=document.optional("versions", JsonValue.text_by_name, {}),
                cloud=document.optional("cloud", CloudFacts.from_json, None),
            ),
            programme=document.member("programme").text(),
            tenants=document.member("tenants").text(),
            concurrency=document.member("concurrency").number(),
            estimated_seconds=document.member("estimated_seconds").number(),
            tests=tuple(map(PlannedTest.from_json, document.member("tests").items())),
            shard=document.optional("shard", JsonValue.text, None),
            quick=document.optional("quick", JsonValue.boolean, False),
            limits=document.optional("limits", _limits, ()),
            merged=document.optional("merged", _merged, ()),
        )

    def as_json(self) -> JsonObject:
        """Return the document of ``plan.json`` (docs/reference/run-directory.rst)."""
        basis = self.basis
        document: JsonObject = {
            "format": FORMAT,
            "guideline": {"id": basis.guideline, "sha256": basis.guideline_sha256},
            "programme": self.programme,
            "cloud": basis.cloud.as_json() if basis.cloud else None,
            "tenants": self.tenants,
            "versions": dict(basis.versions),
            "concurrency": self.concurrency,
            "estimated_seconds": self.estimated_seconds,
            "shard": self.shard,
            "quick": self.quick,
            "tests": [test.as_json() for test in self.tests],
            "limits": [{"name": limit.name, "why": limit.why} for limit in self.limits],
        }
        if self.merged:
            document["merged"] = [{"run": part.run, "shard": part.shard} for part in self.merged]
        return document

    def matches(self, programme: Programme) -> dict[str, Match]:
        """Return the recorded match of each required test of ``programme``, by key of the test."""
        tests = {
            test.key: test for part in programme.with_bases() for test in part.required_tests()
        }
        return {
            planned.key: Match(tests[planned.key], planned.match, _parsed(planned.found))
            for planned in self.tests
            if planned.key in tests
        }

    def differences(self, other: "PlanRecord") -> Iterator[str]:
        """Yield a sentence for each reason why two runs cannot make one verdict."""
        yield from differences(self.basis, other.basis)
        if self.programme != other.programme:
            yield f"the programme was {self.programme}, now {other.programme}"
        for before, now in zip(self.tests, other.tests, strict=False):
            if before != now:
                yield f"the plan has another test for {before.name}"
                return


def _parsed(found: tuple[str, ...]) -> tuple[tempest_id.TestId, ...]:
    return tuple(test for full in found if (test := tempest_id.parse(full)))


def _limits(document: JsonValue) -> tuple[PlannedLimit, ...]:
    return tuple(
        PlannedLimit(limit.member("name").text(), limit.member("why").text())
        for limit in document.items()
    )


def _merged(document: JsonValue) -> tuple[MergedPart, ...]:
    return tuple(
        MergedPart(part.member("run").text(), part.optional("shard", JsonValue.text, None))
        for part in document.items()
    )


def differences(before: Basis, now: Basis) -> Iterator[str]:
    """Yield a sentence for each difference in guideline, Tempest and cloud."""
    if before.guideline_sha256 != now.guideline_sha256:
        yield (
            f"the guideline was {before.guideline} ({before.guideline_sha256[:12]}), "
            f"now {now.guideline} ({now.guideline_sha256[:12]})"
        )
    for name in dict.fromkeys((*before.versions, *now.versions)):
        was, is_now = (basis.versions.get(name, "absent") for basis in (before, now))
        if was != is_now:
            yield f"{name} was {was}, now {is_now}"
    yield from cloud_differences(before.cloud, now.cloud)


def cloud_differences(before: CloudFacts | None, now: CloudFacts | None) -> Iterator[str]:
    """Yield a sentence for each difference between two clouds.

    Services are compared by their types only: their URLs may differ from day to day.
    """
    if before is None or now is None:
        if before is not now:
            yield "only one of the two plans names a cloud"
        return
    for what, was, is_now in (
        ("auth_url", before.auth_url, now.auth_url),
        ("region", before.region, now.region),
        ("services", ", ".join(sorted(before.endpoints)), ", ".join(sorted(now.endpoints))),
    ):
        if was != is_now:
            yield f"the cloud's {what} was {was}, now {is_now}"
