"""One cloud, one workspace, the tenants: what it takes to plan and to run tests with Tempest."""

import contextlib
import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from openstack.connection import Connection
from rich.console import Console

from capabilities.matching import MatchKind
from refstack_client.cloud import connection as cloud
from refstack_client.cloud.facts import CloudFacts
from refstack_client.outcomes.run_directory import Run
from refstack_client.planning import plan
from refstack_client.planning.request import Request
from refstack_client.running import progress
from refstack_client.tempest import cloud_resources, inventory, stestr_runner, workspace
from refstack_client.tempest import conf as tempest_conf
from refstack_client.tempest.concurrency import Workers
from refstack_client.tempest.listing import Listing
from refstack_client.tempest.workspace import Workspace
from refstack_client.tenants import provision
from refstack_client.tenants.accounts_file import Account
from refstack_client.tenants.provision import Tenants, Traces


@dataclass(frozen=True)
class Session:
    """Tempest, configured for ``request``.

    ``shown`` is the tempest.conf of most tests, without secrets.
    """

    request: Request
    space: Workspace
    tenants: Tenants
    choices: tempest_conf.Choices
    conf: tempest_conf.Conf
    shown: tempest_conf.Conf

    def planned(self, *, fresh: bool = False) -> tuple[plan.Plan, Listing]:
        """Find the wanted tests in Tempest; ``fresh`` lists them anew."""
        return make_plan(
            self.request, self.space, self.choices.cloud, self.tenants.planned(), fresh=fresh
        )

    def run(
        self, made_plan: plan.Plan, wanted: Sequence[str], made: Run, console: Console
    ) -> stestr_runner.Ended:
        """Run the tests ``wanted``; beside those that borrow tenants those that make them."""
        own = self.tenants.own(wanted)
        watched = progress.RunProgress(
            console, plan.by_capability(made_plan, wanted), made_plan.workers
        )
        jobs = []
        if borrowing := [each for each in wanted if each not in own]:
            tempest_conf.write(self.space, self.conf, self.choices)
            jobs.append(stestr_runner.Job(self.space, borrowing, made_plan.workers))
        if making := [each for each in wanted if each in own]:
            beside = workspace.beside(self.space)
            tempest_conf.write(beside, self.conf, self.choices, self.tenants.maker)
            jobs.append(stestr_runner.Job(beside, making, Workers(1)))
        hidden = (*self.tenants.secrets, *self.request.secrets)
        return stestr_runner.run(jobs, hidden, made, watched)


@contextlib.contextmanager
def opened(
    request: Request, connection: Connection, space: Workspace, traces: Traces, left: list[str]
) -> Iterator[Session]:
    """Provide tenants and configure Tempest for a cloud; what was made is removed at the end.

    :param left: is given a sentence for all that could not be removed
    :raises CloudError: the cloud or the credentials cannot be used
    """
    choices = functools.partial(
        tempest_conf.Choices,
        cloud=cloud.facts(connection),
        overrides=request.settings,
        prefix=traces.prefix,
        tls=_tls(connection),
    )
    with tempest_conf.discovery(space) as discovery:
        chosen = cloud_resources.choose(connection, request.service_types, request.settings)

        def ask(user: Account, roles: tempest_conf.Roles) -> None:
            """Have the cloud asked what it offers while the other tenants are made."""
            discovery.ask(choices(users=(user,), roles=roles, resources=chosen))

        with provision.provided(request, connection, traces, left, ask) as provided:
            network = (("compute", "fixed_network_name", provided.network),)
            whole = choices(
                users=provided.users,
                roles=provided.roles,
                resources=chosen + (network if provided.network else ()),
            )
            hidden = (*provided.secrets, *request.secrets)
            conf = tempest_conf.compose(space, whole, discovery.answer(hidden))
            shown = tempest_conf.write(space, conf, whole)
            yield Session(request, space, provided, whole, conf, shown)


def make_plan(
    request: Request,
    space: Workspace,
    facts: CloudFacts | None,
    as_whom: plan.Tenants,
    *,
    fresh: bool = False,
) -> tuple[plan.Plan, Listing]:
    """Match the wanted tests with those Tempest has."""
    listing = inventory.load(space, fresh=fresh)
    workers = request.classes_at_a_time
    made = plan.make(request.programme, listing, facts, as_whom, workers, request.shard)
    made = replace(made, quick=request.quick)
    if listing.assumed and made.count(MatchKind.MISSING):
        return make_plan(request, space, facts, as_whom, fresh=True)
    return made, listing


def _tls(connection: Connection) -> dict[str, str | bool | None]:
    config = connection.config.config
    return {"verify": bool(config.get("verify", True)), "cacert": config.get("cacert")}
