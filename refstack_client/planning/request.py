"""What the user asked to have certified, and what that needs of a cloud."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from openstack.connection import Connection

from capabilities.guideline import Status
from capabilities.programme import Programme
from capabilities.tempest_id import class_of
from refstack_client.cloud import connection as cloud
from refstack_client.outcomes import run_directory
from refstack_client.outcomes.redaction import HIDDEN
from refstack_client.planning import plan
from refstack_client.planning.shard import Shard
from refstack_client.tempest import concurrency
from refstack_client.tempest import conf as tempest_conf
from refstack_client.tempest.concurrency import Workers

_FROM_OUTSIDE = ("tempest.api.compute.floating_ips.", "tempest.scenario.")
"""What starts the names of tests that reach a server from outside."""


@dataclass(frozen=True)
class Request:
    """What the user asked for."""

    programme: Programme
    guideline_name: str
    os_cloud: str | None
    accounts_file: Path | None
    workers: Workers | None
    """None has their number chosen."""
    settings: Sequence[tempest_conf.Setting]
    output: Path
    resumed: run_directory.Run | None = None
    mode: run_directory.Mode = run_directory.Mode.ALL
    retry_budget: int = run_directory.RETRY_BUDGET
    shard: Shard | None = None
    quick: bool = False

    @property
    def secrets(self) -> tuple[str, ...]:
        """The values of settings that must not be shown."""
        return tuple(
            value for _, option, value in self.settings if tempest_conf.is_secret(option) and value
        )

    def for_cloud(self, connection: Connection) -> "Request":
        """Return the same with what depends on a cloud.

        That are the settings that clouds.yaml has for it, as ``tempest``, and the workers.

        :raises UsageError: one is no setting
        """
        theirs = tempest_conf.parse_settings(connection.config.config.get("tempest") or ())
        chosen = concurrency.choose(connection, self.workers)
        return replace(self, settings=(*theirs, *self.settings), workers=chosen)

    @property
    def classes_at_a_time(self) -> Workers:
        """Return the workers; without a cloud as many as suit this machine."""
        return self.workers or concurrency.choose(None)

    def options(self) -> dict[str, Any]:
        """Return what must be given again to go on with the run; values of secrets are left out."""
        return {
            "guideline": {"id": self.programme.guideline.id},
            "programme": self.programme.key,
            "os_cloud": self.os_cloud,
            "accounts": str(self.accounts_file.resolve()) if self.accounts_file else None,
            "concurrency": self.workers.count if self.workers else None,
            "shard": str(self.shard) if self.shard else None,
            "quick": self.quick,
            "settings": [
                f"{section}.{option}={HIDDEN if tempest_conf.is_secret(option) else value}"
                for section, option, value in self.settings
            ],
        }

    def prefix(self, made: run_directory.Run) -> str:
        """Return what names of throwaway resources start with; short, for some limit them."""
        return f"refstack-{made.id[-6:]}"

    @property
    def projects(self) -> tuple[str, ...]:
        """Return the projects besides Keystone whose services are tested (``nova``, …)."""
        required = (
            capability
            for each in self.programme.with_bases()
            for capability in each.capabilities(Status.REQUIRED)
        )
        return tuple(sorted({capability.project for capability in required} - {"keystone", ""}))

    @property
    def service_types(self) -> tuple[str, ...]:
        """Return the types of those services (``compute``, …)."""
        return tuple(cloud.SERVICES[each][0] for each in self.projects if each in cloud.SERVICES)

    @property
    def needs_router(self) -> bool:
        """Return whether a server is to be reached from outside its network.

        Network tests make routers of their own. One takes as long to make as the rest of a tenant.
        """
        validated = any(
            (section, option, value.lower()) == ("validation", "run_validation", "true")
            for section, option, value in self.settings
        )
        names = (name for test in self.programme.wanted_tests() for name in test.names)
        return validated or any(name.startswith(_FROM_OUTSIDE) for name in names)

    @property
    def class_names(self) -> frozenset[str]:
        """Return the bare names of classes for which Tempest makes tenants, named after them."""
        names = (name for test in plan.own_tenants(self.programme) for name in test.names)
        return frozenset(class_of(name).rpartition(".")[2] for name in names)
