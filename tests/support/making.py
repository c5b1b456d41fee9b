"""Runs for tests, as certify leaves them, without a cloud."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from capabilities import catalogue, programme
from capabilities.matching import Index
from capabilities.programme import Programme
from capabilities.tempest_id import parse as parse_test
from refstack_client.cloud.selection import CloudSelection
from refstack_client.outcomes import run_directory
from refstack_client.outcomes.cloud_facts import CloudFacts
from refstack_client.planning import plan
from refstack_client.planning.request import CertificationRequest
from refstack_client.planning.selection import Shard
from refstack_client.planning.tenant_plan import TenantKind, TenantPlan
from refstack_client.planning.workers import Workers
from refstack_client.running import run_recorder
from refstack_client.tempest.listing import Listing
from support.streams import StreamWriter

STORAGE = programme.find(catalogue.load("2020.06")[0], "storage")
FACTS = CloudFacts(
    name="mycloud",
    auth_url="https://keystone.example.org:5000/v3",
    region="RegionOne",
    user="alice",
    project="tests",
    roles=("member",),
    endpoints={
        "identity": "https://keystone.example.org:5000/v3",
        "object-store": "http://192.0.2.7:8080/v1/AUTH_x",
    },
)
SCS = programme.find(catalogue.load("scs-0128")[0], "scs-0128")


def names_of(wanted: Programme) -> tuple[str, ...]:
    return tuple(f"{test.name}[{test.idempotent_id}]" for test in wanted.counted_tests())


NAMES = names_of(STORAGE)
BEGIN = datetime(2026, 1, 31, tzinfo=UTC)


def request(wanted: Programme = STORAGE, **options: Any) -> CertificationRequest:
    """Make the request to certify a programme with one worker, on no particular cloud."""
    usual = CertificationRequest(
        programme=wanted,
        guideline_name=wanted.guideline.id,
        cloud=CloudSelection(),
        accounts_file=None,
        workers=Workers(1),
        settings=(),
        output=Path(),
    )
    return replace(usual, **options)


def make_run(
    parent: Path,
    outcome: Callable[[str], str | None] = lambda name: "success",
    shard: Shard | None = None,
    *,
    started: datetime = BEGIN,
    facts: CloudFacts = FACTS,
    versions: Mapping[str, str] = {"tempest": "47.0.0"},
    wanted: Programme = STORAGE,
    **attachments: str,
) -> run_directory.Run:
    """Make a run in which each test of its part has the outcome ``outcome``; None is not run."""
    made = run_recorder.create(parent, run_recorder.new_id(started))
    found = (parse_test(each) for each in names_of(wanted))
    listing = Listing(Index.of(test for test in found if test), versions)
    tenants = TenantPlan(TenantKind.THROWAWAY)
    planned = plan.make(request(wanted, shard=shard), listing, facts, tenants)
    options = {"programme": wanted.key, "shard": str(shard) if shard else None}
    content = catalogue.content(str(wanted.guideline.file or wanted.guideline.id))
    run_recorder.keep_request(made, options, wanted.guideline, content)
    run_recorder.keep_plan(made, planned.record(), listing.index.tests)
    ended = started + timedelta(minutes=1)
    start = {"mode": "all", "retry_budget": 3, "workspace": "/private/place"}
    run_recorder.keep_attempt(made, {"attempt": 1, **start, "started": started.isoformat()})
    tokens = [{"user": "u", "project": "p", "roles": ["member"]}]
    end = {"ended": ended.isoformat(), "status": 1, "tokens": tokens}
    run_recorder.keep_attempt(made, {"attempt": 1, "asked": len(planned.to_run), **end})
    writer = StreamWriter()
    for number, name in enumerate(planned.to_run):
        if status := outcome(name):
            writer.test(name, status, at=started + timedelta(seconds=number), **attachments)
    made.stream.write_bytes(writer.content)
    made.tempest_conf.write_text("[identity]\nuri_v3 = https://keystone.example.org:5000/v3\n")
    return made
