"""What the user asked to have certified, and what that needs of a cloud."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from capabilities.guideline import Status
from capabilities.programme import Programme
from capabilities.testid import class_of
from refstack_client import cloud, plan, run, tempest_conf
from refstack_client.redaction import HIDDEN
from refstack_client.shard import Shard


@dataclass(frozen=True)
class Request:
    """What the user asked for."""

    programme: Programme
    guideline_name: str
    os_cloud: str | None
    accounts_file: Path | None
    concurrency: int
    settings: Sequence[tempest_conf.Setting]
    output: Path
    resumed: run.Run | None = None
    mode: run.Mode = run.Mode.ALL
    retry_budget: int = run.RETRY_BUDGET
    shard: Shard | None = None

    @property
    def secrets(self) -> tuple[str, ...]:
        """The values of settings that must not be shown."""
        return tuple(
            value for _, option, value in self.settings if tempest_conf.is_secret(option) and value
        )

    def options(self) -> dict[str, Any]:
        """Return what must be given again to go on with the run; values of secrets are left out."""
        return {
            "guideline": {"id": self.programme.guideline.id},
            "programme": self.programme.key,
            "os_cloud": self.os_cloud,
            "accounts": str(self.accounts_file.resolve()) if self.accounts_file else None,
            "concurrency": self.concurrency,
            "shard": str(self.shard) if self.shard else None,
            "settings": [
                f"{section}.{option}={HIDDEN if tempest_conf.is_secret(option) else value}"
                for section, option, value in self.settings
            ],
        }

    def prefix(self, made: run.Run) -> str:
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
    def class_names(self) -> frozenset[str]:
        """Return the bare names of classes for which Tempest makes tenants, named after them."""
        names = (name for test in plan.own_tenants(self.programme) for name in test.names)
        return frozenset(class_of(name).rpartition(".")[2] for name in names)
