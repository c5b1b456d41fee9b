"""What would run, planned before anything runs."""

import importlib.util
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from capabilities import flat_list, tempest_id
from capabilities.guideline import Status, Test
from capabilities.matching import Match, MatchKind, match
from capabilities.programme import Programme
from capabilities.tempest_id import TestId
from refstack_client.outcomes.cloud_facts import CloudFacts
from refstack_client.outcomes.plan_record import Basis, PlannedLimit, PlannedTest, PlanRecord
from refstack_client.planning import durations, limits
from refstack_client.planning.limits import Limit
from refstack_client.planning.request import CertificationRequest
from refstack_client.planning.selection import Shard, quick_tests, shard_tests
from refstack_client.planning.tenant_plan import TenantKind, TenantPlan
from refstack_client.planning.workers import Workers
from refstack_client.tempest.listing import Listing


@dataclass(frozen=True)
class Plan:
    """Which tests of which programme would run, where, as whom and for how long.

    :param matches: of every wanted test with the tests of the installed Tempest
    :param versions: of Tempest and its plugins, by distribution
    :param missing: why a wanted test matches none, by its key
    :param cloud: None if no cloud is named
    :param limits: wanted tests that cannot pass
    :param shard: the shard that runs; None for all tests
    :param quick: one test for each required capability runs, or for each class of a list, which
        certifies nothing
    :param assumed: the list of Tempest's tests was made under another configuration
    """

    programme: Programme
    matches: tuple[Match, ...]
    versions: Mapping[str, str]
    missing: Mapping[str, str]
    cloud: CloudFacts | None
    tenants: TenantKind
    limits: tuple[Limit, ...]
    workers: Workers
    shard: Shard | None = None
    quick: bool = False
    assumed: bool = False

    @property
    def concurrency(self) -> int:
        """Return how many test classes run at a time."""
        return self.workers.count

    def count(self, *kinds: MatchKind) -> int:
        """Return how many wanted tests have a match of one of ``kinds``."""
        return sum(match.kind in kinds for match in self.matches)

    @property
    def load_list(self) -> tuple[str, ...]:
        """Return the full ids of all tests that match a wanted test."""
        return tuple(dict.fromkeys(test.full for match in self.matches for test in match.found))

    @property
    def to_run(self) -> tuple[str, ...]:
        """Return the full ids of the tests that run: all, those of the shard, or the quick ones."""
        if self.quick:
            return quick_tests(self._by_class() if self.is_list else self._by_capability())
        return shard_tests(self.load_list, self.shard) if self.shard else self.load_list

    @property
    def is_list(self) -> bool:
        """Return whether the guideline is a flat list, whose tests are in no real capability."""
        return self.programme.guideline.schema == flat_list.SCHEMA

    def _by_class(self) -> Iterator[list[TestId]]:
        """Yield the matching tests of each class."""
        classes: dict[str, list[TestId]] = {}
        for test in (test for found in self.matches for test in found.found):
            classes.setdefault(test.class_name, []).append(test)
        yield from classes.values()

    def _by_capability(self) -> Iterator[list[TestId]]:
        """Yield the matching tests of each required capability."""
        matches = self.matches_by_key()
        for programme in self.programme.with_bases():
            for capability in programme.capabilities(Status.REQUIRED):
                found = (matches[test.key] for test in capability.tests if test.key in matches)
                yield [test for match in found for test in match.found]

    @property
    def seconds(self) -> float:
        """Return the estimated duration in seconds."""
        tests = (tempest_id.parse(full) for full in self.to_run)
        return durations.estimate([test.name for test in tests if test], self.workers)

    def matches_by_key(self) -> dict[str, Match]:
        """Return the matches by the key of the wanted test."""
        return {match.test.key: match for match in self.matches}

    def record(self) -> PlanRecord:
        """Return the plan as ``plan.json`` records it."""
        guideline = self.programme.guideline
        return PlanRecord(
            basis=Basis(guideline.id, guideline.digest, self.versions, self.cloud),
            programme=self.programme.key,
            tenants=str(self.tenants),
            concurrency=self.concurrency,
            estimated_seconds=round(self.seconds),
            tests=tuple(
                PlannedTest.of(match, None if match.found else self.missing[match.test.key])
                for match in self.matches
            ),
            shard=str(self.shard) if self.shard else None,
            quick=self.quick,
            limits=tuple(PlannedLimit(limit.test.name, limit.why) for limit in self.limits),
        )


def make(
    request: CertificationRequest, listing: Listing, cloud: CloudFacts | None, tenants: TenantPlan
) -> Plan:
    """Match the wanted tests of a request with those of Tempest."""
    matches = tuple(match(test, listing.index) for test in request.programme.wanted_tests())
    return Plan(
        programme=request.programme,
        matches=matches,
        versions=listing.versions,
        missing={
            found.test.key: why_missing(found.test, listing)
            for found in matches
            if found.kind is MatchKind.MISSING
        },
        cloud=cloud,
        tenants=tenants.kind,
        limits=tuple(limits.of(request, tenants)),
        workers=tenants.limited(request),
        shard=request.shard,
        quick=request.quick,
        assumed=listing.assumed,
    )


def why_missing(test: Test, listing: Listing) -> str:
    """Return why a test matches none: its plugin is absent or broken, or has no such test."""
    package = test.name.partition(".")[0]
    if importlib.util.find_spec(package) is None:
        return f"the Tempest plugin {package} is not installed"
    module = listing.broken_module(test)
    if module:
        return f"{module} cannot be imported: {listing.broken[module]}"
    return f"the installed {package} does not have it"


def by_capability(plan: Plan, wanted: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Return the names of the tests among ``wanted`` by required capability."""
    matches = plan.matches_by_key()
    full_ids = set(wanted)
    return {
        capability.id: tuple(
            found.name
            for test in capability.tests
            if test.key in matches
            for found in matches[test.key].found
            if found.full in full_ids
        )
        for programme in plan.programme.with_bases()
        for capability in programme.capabilities(Status.REQUIRED)
    }
