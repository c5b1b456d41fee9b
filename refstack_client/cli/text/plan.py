"""Write a plan as lines for a terminal."""

from collections.abc import Iterator

from capabilities import catalogue
from capabilities.guideline import Rule, Status
from capabilities.matching import MatchKind
from refstack_client.planning.limits import NO_GUESTS
from refstack_client.planning.plan import Plan
from refstack_client.planning.workers import Workers


def lines(plan: Plan, asked: int | None = None) -> Iterator[str]:
    """Yield the lines of a plan.

    :param asked: the number of its tests to run; None for all
    """
    guideline = plan.programme.guideline
    if plan.cloud:
        yield f"cloud         {plan.cloud.name} at {plan.cloud.auth_url}"
        yield (
            f"user          {plan.cloud.user} in project {plan.cloud.project}, "
            f"roles {', '.join(plan.cloud.roles) or 'none'}"
        )
    else:
        yield "cloud         none named (--os-cloud, OS_CLOUD or OS_* variables)"
    yield f"tests run as  {plan.tenants}"
    status = f" ({guideline.status})" if guideline.status else ""
    digest = f", SHA-256 {guideline.digest[:16]}…" if guideline.digest else ""
    yield f"guideline     {guideline.id}{status}{digest}{_other_version(plan)}"
    yield f"programme     {plan.programme.name}: {_scope(plan)}"
    for base in plan.programme.bases:
        yield f"requires      {base.name} {base.guideline.id}: {len(base.counted_tests())} tests"
    yield f"tests         {len(plan.matches)} wanted{_flagged(plan)}"
    found = plan.count(MatchKind.EXACT, MatchKind.ALIAS)
    yield (
        f"              {found} found, {plan.count(MatchKind.RENAMED)} renamed, "
        f"{plan.count(MatchKind.AMBIGUOUS)} ambiguous, {plan.count(MatchKind.MISSING)} missing in "
        + ", ".join(f"{name} {version}" for name, version in plan.versions.items())
    )
    yield from _part(plan, asked)
    if asked is None or asked == len(plan.to_run):
        minutes, seconds = divmod(round(plan.seconds), 60)
        yield f"time          about {minutes} min {seconds:02} s, {_at_a_time(plan.workers)}"
    elif asked:
        yield f"concurrency   {_at_a_time(plan.workers)}"
    for match in plan.matches:
        if match.kind is MatchKind.MISSING:
            yield f"  missing     {match.test.name}: {plan.missing[match.test.key]}"
        elif match.kind in (MatchKind.RENAMED, MatchKind.AMBIGUOUS):
            names = ", ".join(sorted({test.name for test in match.found}))
            yield f"  {match.kind:<11} {match.test.name} -> {names}"
    yield from _limits(plan)


def _other_version(plan: Plan) -> str:
    """Return that a list has the name of a shipped one and another content, "" otherwise."""
    guideline = plan.programme.guideline
    if not plan.is_list or guideline.id not in catalogue.shipped():
        return ""
    is_shipped = catalogue.load(guideline.id)[0].digest == guideline.digest
    return "" if is_shipped else f", not the {guideline.id} that is shipped"


def _scope(plan: Plan) -> str:
    """Return what decides the verdict: the rule of a list, else the required capabilities."""
    if plan.programme.rule is Rule.NONE_FAILED:
        return "a list of tests; no test may fail, skipped tests are listed"
    required = len(list(plan.programme.capabilities(Status.REQUIRED)))
    return f"{required} required {'capability' if required == 1 else 'capabilities'}"


def _flagged(plan: Plan) -> str:
    """Return how many tests do not count; a list has no flags."""
    if plan.is_list:
        return ""
    flagged = len(plan.programme.required_tests()) - len(plan.programme.counted_tests())
    return f" ({flagged} more are flagged and do not count)"


def _limits(plan: Plan) -> Iterator[str]:
    """Yield which tests will be skipped, and what that means for the verdict."""
    may_skip = plan.programme.rule is Rule.NONE_FAILED
    verdict = ", which the rule of the list allows" if may_skip else ": at best INCOMPLETE"
    guests = [limit for limit in plan.limits if limit.why == NO_GUESTS]
    others = [limit for limit in plan.limits if limit.why != NO_GUESTS]
    if guests:
        tests = "1 test logs" if len(guests) == 1 else f"{len(guests)} tests log"
        yield f"{tests} in to a guest and will be skipped{verdict}; add --guests"
        yield from (f"  {limit.test.name}" for limit in guests)
    if others:
        tests = "1 test" if len(others) == 1 else f"{len(others)} tests"
        yield f"{tests} will be skipped with these credentials{verdict}"
        yield from (f"  {limit.test.name}: {limit.why}" for limit in others)


def _part(plan: Plan, asked: int | None) -> Iterator[str]:
    if plan.quick:
        each = "class" if plan.is_list else "capability"
        yield f"quick         {len(plan.to_run)} tests, one for each {each}; no certification"
    if plan.shard:
        yield f"shard         {plan.shard}: {len(plan.to_run)} tests"
    if asked is not None and asked != len(plan.to_run):
        yield f"now           {asked} tests to run; the others have an outcome"


def _at_a_time(workers: Workers) -> str:
    number = f"{workers.count} test{'s' if workers.count > 1 else ''} at a time"
    return f"{number} ({workers.why})" if workers.why else number
