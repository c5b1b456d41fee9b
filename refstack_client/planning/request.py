"""What the user requests to be certified, and what that needs of a cloud."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from capabilities.programme import Programme
from capabilities.tempest_id import class_of
from refstack_client.cloud.selection import CloudSelection
from refstack_client.cloud.service_types import service_of
from refstack_client.outcomes.challenge import SignedChallenge
from refstack_client.planning import services, test_requirements, test_users, workers
from refstack_client.planning.selection import Shard
from refstack_client.planning.test_requirements import TENANTS_OF_TEMPEST
from refstack_client.planning.test_users import Users
from refstack_client.planning.workers import Workers
from refstack_client.tempest.settings import LOG_IN_TO_GUESTS, Setting, parse_settings

_FROM_OUTSIDE = ("tempest.api.compute.floating_ips.", "tempest.scenario.")
"""Starts of the names of tests that connect to a server from outside."""
_RUN_VALIDATION = ("validation", "run_validation")


@dataclass(frozen=True)
class CertificationRequest:
    """What the user requests.

    :param programme: with the programmes that it requires
    :param guideline_name: id, path or URL of its guideline
    :param cloud: which cloud, and through which of its endpoints
    :param accounts_file: file with tenant users; None to create tenants
    :param workers: how many test classes run at a time; None for a suitable number
    :param settings: values of tempest.conf, which take precedence
    :param output: directory of the run directories
    :param shard: run only the tests of one shard; None for all
    :param quick: run one test for each required capability, or for each class of a list, which
        certifies nothing
    :param challenge: of a certifier, which a new run answers
    :param clean_options: options with which ``--clean`` finds the cloud, where the run does not
        name it
    """

    programme: Programme
    guideline_name: str
    cloud: CloudSelection
    accounts_file: Path | None
    workers: Workers | None
    settings: Sequence[Setting]
    output: Path
    shard: Shard | None = None
    quick: bool = False
    challenge: SignedChallenge | None = None
    clean_options: tuple[str, ...] = ()

    @property
    def secrets(self) -> tuple[str, ...]:
        """Return the values of settings that must not be shown."""
        return tuple(
            setting.value for setting in self.settings if setting.is_secret and setting.value
        )

    def for_cloud(
        self, settings: Sequence[str], latency: float, *, guests: bool = False
    ) -> "CertificationRequest":
        """Return the request with what depends on a cloud.

        :param settings: of the form ``section.option=value``, from clouds.yaml; those of the
            user take precedence
        :param guests: whether clouds.yaml lets tests log in to guests
        :param latency: API round-trip time in seconds, by which the workers are chosen
        :raises UsageError: a setting has another form
        """
        return replace(
            self,
            settings=(
                *parse_settings((LOG_IN_TO_GUESTS,) if guests else ()),
                *parse_settings(settings),
                *self.settings,
            ),
            workers=workers.choose(latency, self.workers),
        )

    @property
    def workers_or_default(self) -> Workers:
        """Return the workers; if the user chose none, as many as suit this machine."""
        return self.workers or workers.choose(None)

    def options(self) -> dict[str, object]:
        """Return the content of request.json: what is needed to resume the run, without secrets."""
        return {
            "guideline": {"id": self.programme.guideline.id},
            "programme": self.programme.key,
            "os_cloud": self.cloud.name,
            "region": self.cloud.region,
            "interface": self.cloud.interface,
            "accounts": str(self.accounts_file.resolve()) if self.accounts_file else None,
            "concurrency": self.workers.count if self.workers else None,
            "shard": str(self.shard) if self.shard else None,
            "quick": self.quick,
            "settings": [str(setting) for setting in self.settings],
        }

    @property
    def projects(self) -> tuple[str, ...]:
        """Return the projects besides Keystone whose services are tested (``nova``, …).

        They are those of the required capabilities and those that the tests require; a flat list
        has no capabilities with a project.
        """
        return tuple(sorted(self._tests_by_project))

    @property
    def service_types(self) -> tuple[str, ...]:
        """Return the types of those services (``compute``, …)."""
        return tuple(service_of(project)[0] for project in self.projects)

    def tests_of(self, project: str) -> tuple[str, ...]:
        """Return the names of the wanted tests that the service of a project is needed for."""
        return self._tests_by_project.get(project, ())

    @property
    def _tests_by_project(self) -> Mapping[str, tuple[str, ...]]:
        return services.tests_by_project(self.programme)

    @property
    def needs_router(self) -> bool:
        """Return whether a test connects to a server from outside its network.

        Network tests create routers of their own. A router takes as long to create as the rest of a
        tenant.
        """
        names = (name for test in self.programme.wanted_tests() for name in test.names)
        return self.logs_in_to_guests or any(name.startswith(_FROM_OUTSIDE) for name in names)

    @property
    def logs_in_to_guests(self) -> bool:
        """Return whether the settings let tests log in to guests; the last value counts."""
        values = {(setting.section, setting.option): setting.value for setting in self.settings}
        return values.get(_RUN_VALIDATION, "").lower() == "true"

    def users_by_class(self, *, tempest_creates: bool) -> tuple[Users, ...]:
        """Return the users that each test class borrows.

        :param tempest_creates: whether Tempest can create users itself. In a quick look a class
            may run without the test that requires that, and then borrows users.
        """
        return test_users.of_programme(
            self.programme, tempest_creates=tempest_creates and not self.quick
        )

    @property
    def class_names(self) -> frozenset[str]:
        """Return the classes, without module, for which Tempest creates tenants.

        The names of those tenants contain that of the class.
        """
        wanted = self.programme.wanted_tests()
        tests = test_requirements.requiring(TENANTS_OF_TEMPEST, wanted)
        names = (name for test in tests for name in test.names)
        return frozenset(class_of(name).rpartition(".")[2] for name in names)
