"""What would run, planned before anything runs."""

import importlib.util
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from capabilities import tempest_id
from capabilities.guideline import Status, Test
from capabilities.matching import Match, MatchKind, match
from capabilities.programme import Programme
from capabilities.tempest_id import TestId
from refstack_client.outcomes import causes
from refstack_client.outcomes.cloud_facts import CloudFacts
from refstack_client.outcomes.plan_record import Basis, PlannedLimit, PlannedTest, PlanRecord
from refstack_client.planning import durations, test_source, test_users
from refstack_client.planning.selection import Shard, quick_tests, shard_tests
from refstack_client.planning.workers import Workers
from refstack_client.tempest.listing import Listing
from refstack_client.tempest.swift_roles import MEMBER

# Tests that Tempest itself skips unless it creates the tenants.
ONLY_WITH_TENANTS_OF_TEMPEST = {
    "id-638f876d-6a43-482a-bbb3-0840bca101c6": causes.ONLY_WITH_TENANTS_OF_TEMPEST,
}
_NO_MEMBER = "Tempest must create the tenants itself, with the role member, which the cloud lacks"
# Classes that need a user who may set account quotas.
_NEEDS_RESELLER = "AccountQuotas"


class TenantKind(StrEnum):
    """As whom the tests run; never as an admin. The values are recorded in plan.json."""

    THROWAWAY = "throwaway tenants, made and removed with the admin credential"
    ACCOUNTS = "the users of the accounts file"
    UNKNOWN = "not decided: no cloud was named"


@dataclass(frozen=True)
class TenantPlan:
    """As whom the tests run, as far as the plan depends on it.

    :param roles: of each user of an accounts file
    :param reseller_role: the role of users who may set account quotas
    :param suit_tempest: whether the cloud has the role with which Tempest creates tenants itself
    """

    kind: TenantKind
    roles: tuple[tuple[str, ...], ...] = ()
    reseller_role: str = ""
    suit_tempest: bool = True

    def suffice_for(self, wanted: int) -> int:
        """Return how many workers the users suffice for, at most ``wanted``.

        A test class borrows two members; a class about account quotas a reseller admin too.
        """
        if self.kind is not TenantKind.ACCOUNTS:
            return wanted
        resellers = sum(self.reseller_role in roles for roles in self.roles)
        others = (roles for roles in self.roles if self.reseller_role not in roles)
        pairs = sum(MEMBER in roles for roles in others) // 2
        return max(1, min(wanted, pairs, resellers or pairs))


@dataclass(frozen=True)
class Limit:
    """A wanted test that cannot pass with these credentials, and why."""

    test: Test
    why: str


@dataclass(frozen=True)
class Plan:
    """Which tests of which programme would run, where, as whom and for how long.

    :param matches: of every wanted test with the tests of the installed Tempest
    :param versions: of Tempest and its plugins, by distribution
    :param missing: why a wanted test matches none, by its key
    :param cloud: None if no cloud is named
    :param limits: wanted tests that cannot pass
    :param shard: the shard that runs; None for all tests
    :param quick: one test for each required capability runs, which certifies nothing
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
            return quick_tests(self._by_capability())
        return shard_tests(self.load_list, self.shard) if self.shard else self.load_list

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
    programme: Programme,
    listing: Listing,
    cloud: CloudFacts | None,
    tenants: TenantPlan,
    workers: Workers,
    shard: Shard | None = None,
) -> Plan:
    """Match the programme's wanted tests with those of Tempest."""
    tests = programme.wanted_tests()
    matches = tuple(match(test, listing.index) for test in tests)
    return Plan(
        programme=programme,
        matches=matches,
        versions=listing.versions,
        missing={
            found.test.key: why_missing(found.test, listing)
            for found in matches
            if found.kind is MatchKind.MISSING
        },
        cloud=cloud,
        tenants=tenants.kind,
        limits=tuple(limits(tests, tenants)),
        workers=_limited(workers, tenants),
        shard=shard,
        assumed=listing.assumed,
    )


def _limited(workers: Workers, tenants: TenantPlan) -> Workers:
    """Return at most as many workers as the tenants suffice for."""
    count = tenants.suffice_for(workers.count)
    if count == workers.count:
        return workers
    why = f"the users suffice for {count}, not for {workers.count}"
    return replace(workers, count=count, why=why)


def own_tenants(programme: Programme) -> tuple[Test, ...]:
    """Return the wanted tests that skip unless Tempest itself creates the tenants."""
    wanted = programme.wanted_tests()
    return tuple(test for test in wanted if test.idempotent_id in ONLY_WITH_TENANTS_OF_TEMPEST)


def classes_with_reseller(programme: Programme) -> int:
    """Return how many wanted classes need a user who may set account quotas."""
    names = (name for test in programme.wanted_tests() for name in test.names)
    return len({tempest_id.class_of(name) for name in names if _NEEDS_RESELLER in name})


def classes_with_two_projects(programme: Programme) -> int:
    """Return how many wanted classes borrow users of two projects at a time."""
    classes = set()
    for test in programme.wanted_tests():
        class_names = {tempest_id.class_of(name) for name in test.names}
        # A test that has another name today may be in any class.
        classes |= set(filter(test_source.find, class_names)) or class_names
    own = {tempest_id.class_of(name) for test in own_tenants(programme) for name in test.names}
    return sum(map(test_users.has_two_projects, classes - own))


def why_missing(test: Test, listing: Listing) -> str:
    """Return why a test matches none: its plugin is absent or broken, or has no such test."""
    package = test.name.partition(".")[0]
    if importlib.util.find_spec(package) is None:
        return f"the Tempest plugin {package} is not installed"
    module = listing.broken_module(test)
    if module:
        return f"{module} cannot be imported: {listing.broken[module]}"
    return f"the installed {package} does not have it"


def limits(tests: Iterable[Test], tenants: TenantPlan) -> Iterator[Limit]:
    """Yield the tests that cannot pass with the users of an accounts file, or without a role."""
    of_accounts = tenants.kind is TenantKind.ACCOUNTS
    has_reseller = any(tenants.reseller_role in roles for roles in tenants.roles)
    for test in tests:
        if why := ONLY_WITH_TENANTS_OF_TEMPEST.get(test.idempotent_id or ""):
            if of_accounts or not tenants.suit_tempest:
                yield Limit(test, why if of_accounts else _NO_MEMBER)
        elif of_accounts and _NEEDS_RESELLER in test.name and not has_reseller:
            yield Limit(test, f"no user of the accounts file has the role {tenants.reseller_role}")


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
