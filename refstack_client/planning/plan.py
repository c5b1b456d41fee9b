"""What would run, before anything does."""

import importlib.util
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from capabilities import tempest_id
from capabilities.guideline import Status, Test
from capabilities.matching import Match, MatchKind, match
from capabilities.programme import Programme
from capabilities.tempest_id import TestId
from refstack_client.cloud.facts import CloudFacts
from refstack_client.outcomes import causes
from refstack_client.outcomes.plan_record import Basis, PlannedLimit, PlannedTest, PlanRecord
from refstack_client.planning import durations, quick, test_requirements
from refstack_client.planning import shard as shards
from refstack_client.planning.shard import Shard
from refstack_client.tempest.concurrency import Workers
from refstack_client.tempest.listing import Listing

# Tests that skip by Tempest's own rule unless Tempest itself makes the tenants.
ONLY_WITH_TENANTS_OF_TEMPEST = {
    "id-638f876d-6a43-482a-bbb3-0840bca101c6": causes.ONLY_WITH_TENANTS_OF_TEMPEST,
}
# Classes that want a user who may set account quotas.
_NEEDS_RESELLER = "AccountQuotas"


class TenantKind(StrEnum):
    """As whom the tests run. Never as an admin."""

    THROWAWAY = "throwaway tenants, made and removed with the admin credential"
    ACCOUNTS = "the users of the accounts file"
    UNKNOWN = "not decided: no cloud was named"


@dataclass(frozen=True)
class Tenants:
    """``roles`` are those of each user of an accounts file; ``reseller_role`` sets quotas."""

    kind: TenantKind
    roles: tuple[tuple[str, ...], ...] = ()
    reseller_role: str = ""

    def suffice_for(self, wanted: int) -> int:
        """Return how many workers the users suffice for, ``wanted`` at most.

        A test class holds two tenants at once; those about account quotas a reseller admin too.
        """
        if self.kind is not TenantKind.ACCOUNTS:
            return wanted
        resellers = sum(self.reseller_role in each for each in self.roles)
        pairs = (len(self.roles) - resellers) // 2
        return max(1, min(wanted, pairs, resellers or pairs))


@dataclass(frozen=True)
class Limit:
    """A wanted test that cannot pass with these credentials, and why."""

    test: Test
    why: str


@dataclass(frozen=True)
class Plan:
    """Which tests of which programme would run where, as whom and for how long."""

    programme: Programme
    matches: tuple[Match, ...]
    versions: Mapping[str, str]
    missing: Mapping[str, str]
    """By test key, why there is no such test."""
    cloud: CloudFacts | None
    tenants: TenantKind
    limits: tuple[Limit, ...]
    workers: Workers
    shard: Shard | None = None
    """Which part of the tests is run; None for all."""
    quick: bool = False
    """One test for each required capability is run, which certifies nothing."""
    assumed: bool = False
    """Made by a list of Tempest's tests under another configuration."""

    @property
    def concurrency(self) -> int:
        return self.workers.count

    def count(self, *kinds: MatchKind) -> int:
        return sum(each.kind in kinds for each in self.matches)

    @property
    def load_list(self) -> tuple[str, ...]:
        """Return the full ids of everything that stands for a wanted test, for stestr."""
        return tuple(dict.fromkeys(each.full for one in self.matches for each in one.found))

    @property
    def to_run(self) -> tuple[str, ...]:
        """Return what of the load list this part runs."""
        if self.quick:
            return quick.choose(self._by_capability())
        return shards.choose(self.load_list, self.shard) if self.shard else self.load_list

    def _by_capability(self) -> Iterator[list[TestId]]:
        """Yield the tests found for each required capability."""
        matches = self.matches_by_key()
        for programme in self.programme.with_bases():
            for capability in programme.capabilities(Status.REQUIRED):
                found = (matches[each.key] for each in capability.tests if each.key in matches)
                yield [one for each in found for one in each.found]

    @property
    def seconds(self) -> float:
        """Return about how long that takes."""
        tests = (tempest_id.parse(full) for full in self.to_run)
        return durations.estimate([each.name for each in tests if each], self.workers)

    def matches_by_key(self) -> dict[str, Match]:
        return {each.test.key: each for each in self.matches}

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
                PlannedTest.of(each, None if each.found else self.missing[each.test.key])
                for each in self.matches
            ),
            shard=str(self.shard) if self.shard else None,
            quick=self.quick,
            limits=tuple(PlannedLimit(each.test.name, each.why) for each in self.limits),
        )


def make(
    programme: Programme,
    listing: Listing,
    cloud: CloudFacts | None,
    tenants: Tenants,
    workers: Workers,
    shard: Shard | None = None,
) -> Plan:
    """Match the programme's counted tests against Tempest."""
    tests = programme.wanted_tests()
    matches = tuple(match(test, listing.index) for test in tests)
    return Plan(
        programme=programme,
        matches=matches,
        versions=listing.versions,
        missing={
            each.test.key: why_missing(each.test, listing)
            for each in matches
            if each.kind is MatchKind.MISSING
        },
        cloud=cloud,
        tenants=tenants.kind,
        limits=tuple(limits(tests, tenants)),
        workers=_as_many_as(tenants, workers),
        shard=shard,
        assumed=listing.assumed,
    )


def _as_many_as(tenants: Tenants, workers: Workers) -> Workers:
    count = tenants.suffice_for(workers.count)
    if count == workers.count:
        return workers
    why = f"the users suffice for {count}, not for {workers.count}"
    return replace(workers, count=count, why=why)


def own_tenants(programme: Programme) -> tuple[Test, ...]:
    """Return the wanted tests that skip unless Tempest itself makes the tenants."""
    wanted = programme.wanted_tests()
    return tuple(test for test in wanted if test.idempotent_id in ONLY_WITH_TENANTS_OF_TEMPEST)


def classes_with_reseller(programme: Programme) -> int:
    """Return how many wanted classes need a user who may set account quotas."""
    names = (name for test in programme.wanted_tests() for name in test.names)
    return len({tempest_id.class_of(each) for each in names if _NEEDS_RESELLER in each})


def classes_with_two_projects(programme: Programme) -> int:
    """Return how many wanted classes hold users of two projects, but for those that make theirs."""
    classes = set()
    for test in programme.wanted_tests():
        named = {tempest_id.class_of(each) for each in test.names}
        # One that goes by another name today may be in any class.
        classes |= set(filter(test_requirements.is_there, named)) or named
    own = {tempest_id.class_of(name) for test in own_tenants(programme) for name in test.names}
    return sum(map(test_requirements.has_two_projects, classes - own))


def why_missing(test: Test, listing: Listing) -> str:
    """Return whether a test's plugin is absent or broken, or the test is gone from it."""
    package = test.name.partition(".")[0]
    if importlib.util.find_spec(package) is None:
        return f"the Tempest plugin {package} is not installed"
    module = listing.broken_module(test)
    if module:
        return f"{module} cannot be imported: {listing.broken[module]}"
    return "gone from what is installed"


def limits(tests: Iterable[Test], tenants: Tenants) -> Iterator[Limit]:
    """Yield the tests that cannot pass with given users."""
    if tenants.kind is not TenantKind.ACCOUNTS:
        return
    has_reseller = any(tenants.reseller_role in each for each in tenants.roles)
    for test in tests:
        if test.idempotent_id in ONLY_WITH_TENANTS_OF_TEMPEST:
            yield Limit(test, ONLY_WITH_TENANTS_OF_TEMPEST[test.idempotent_id])
        elif _NEEDS_RESELLER in test.name and not has_reseller:
            yield Limit(test, f"no user of the accounts file has the role {tenants.reseller_role}")


def by_capability(plan: Plan, wanted: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Return the names of the tests among ``wanted`` that stand for each required capability."""
    matches = plan.matches_by_key()
    full = set(wanted)
    return {
        capability.id: tuple(
            found.name
            for test in capability.tests
            if test.key in matches
            for found in matches[test.key].found
            if found.full in full
        )
        for programme in plan.programme.with_bases()
        for capability in programme.capabilities(Status.REQUIRED)
    }
