"""Connect to a cloud with openstacksdk."""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import keystoneauth1.exceptions
from keystoneauth1.access import AccessInfo
from keystoneauth1.discover import Discover
from keystoneauth1.identity import v3
from keystoneauth1.identity.base import BaseIdentityPlugin
from keystoneauth1.session import Session
from openstack.config.cloud_region import CloudRegion, from_session
from openstack.connection import Connection

from refstack_client.cloud import access, clouds_yaml
from refstack_client.cloud.access import Access
from refstack_client.cloud.catalog_repair import leave_out_invalid
from refstack_client.cloud.failures import FAILURES, connect_error
from refstack_client.cloud.selection import CloudSelection
from refstack_client.cloud.service_types import service_of
from refstack_client.errors import CloudError
from refstack_client.outcomes.cloud_facts import CloudFacts


@dataclass(frozen=True)
class Cloud:
    """A cloud with an authenticated connection.

    :param connection: of the user that clouds.yaml or ``OS_*`` name
    :param access: how the cloud is reached, by this connection and by all others
    :param facts: what the token of the connection states
    :param invalid_urls: the URL of an endpoint that cannot be used, by service type
    :param tested: the projects whose services the tests use (``swift``, …)
    """

    connection: Connection = field(repr=False)
    access: Access
    facts: CloudFacts
    invalid_urls: Mapping[str, str] = field(default_factory=dict)
    tested: tuple[str, ...] = ()

    @classmethod
    def of(cls, connection: Connection, way: Access | None = None) -> "Cloud":
        """Return the cloud of a connection, which is authenticated for that.

        :param way: how the connection reaches it; None for what its configuration describes
        :raises CloudError: the credentials are not for a project
        """
        token = connection.session.auth.get_access(connection.session)
        invalid = leave_out_invalid(token)
        if not token.project_scoped:
            scope = f"the domain {token.domain_name}" if token.domain_scoped else "no project"
            raise CloudError(
                f"the credentials of {connection.config.name} are for {scope}, and tests run in "
                "projects",
                hint="add project_name and project_domain_name in clouds.yaml, or OS_PROJECT_NAME "
                "and OS_PROJECT_DOMAIN_NAME",
            )
        facts = facts_of(token, connection.config)
        return cls(connection, way or access.of_region(connection.config), facts, invalid)

    @property
    def name(self) -> str:
        """Return the name of the cloud in clouds.yaml."""
        return self.facts.name

    @property
    def auth_url(self) -> str:
        """Return the URL of the identity service."""
        return self.facts.auth_url

    @property
    def tempest_settings(self) -> Sequence[str]:
        """Return the ``section.option=value`` of tempest.conf that clouds.yaml has as tempest."""
        return self.connection.config.config.get("tempest") or ()

    @property
    def guests(self) -> bool:
        """Return whether clouds.yaml lets tests log in to guests."""
        return self.connection.config.config.get("guests") is True

    @property
    def identity_url(self) -> str:
        """Return the URL of version 3 of the identity API."""
        return v3_url(self.auth_url)

    def sign_in_as(self, auth: Mapping[str, str]) -> AccessInfo:
        """Return the token of another user of the same cloud.

        :param auth: parameters of keystoneauth's ``v3.Password``, without ``auth_url``
        """
        plugin = self._plugin(auth)
        return plugin.get_access(self.access.session(plugin))

    def _plugin(self, auth: Mapping[str, Any]) -> v3.Password:
        return v3.Password(auth_url=self.identity_url, **auth)

    def seen_by(self, auth: Mapping[str, str]) -> "Cloud":
        """Return the same cloud as another user sees it.

        :param auth: as for :meth:`connect_as`
        """
        return Cloud.of(self.connect_as(auth), self.access)

    def connect_as(self, auth: Mapping[str, str]) -> Connection:
        """Return a connection to the same cloud as another user, for the services that are tested.

        :param auth: parameters of keystoneauth's ``v3.Password``, without ``auth_url``
        """
        config = from_session(
            self.access.session(self._plugin(auth)),
            name=self.name,
            region_name=self.access.region,
            interface=self.access.interface,
            identity_endpoint_override=self.identity_url,
            auth={"auth_url": self.auth_url},
        )
        if self.tested:
            names = {service_of(project)[0].replace("-", "_") for project in self.tested}
            config.get_enabled_services = lambda: names
        connection = Connection(config=config)
        leave_out_invalid(connection.session.auth.get_access(connection.session))
        return connection


def connect(selection: CloudSelection, tested: Sequence[str] = ()) -> Cloud:
    """Connect to a cloud and authenticate.

    :param tested: the projects whose services the tests use; none for all
    :raises CloudError: credentials are missing or refused, or the cloud does not respond
    """
    region = clouds_yaml.load_region(selection)
    way = access.of_region(region)
    region.set_session_constructor(way.session_constructor)
    region.config["verify"] = way.tls.verify
    region.config["cacert"] = way.tls.cacert
    region.config.setdefault("api_timeout", access.SECONDS_TO_CONNECT)
    auth_url = (region.get_auth_args() or {}).get("auth_url", "")
    if auth_url:
        access.proxy_of(auth_url)
        # The catalog may list the identity service for other clients only.
        region.config.setdefault("identity_endpoint_override", v3_url(auth_url))
    try:
        connection = Connection(config=region)
        _discover_without_token(connection.session.auth)
        return replace(Cloud.of(connection, way), tested=tuple(tested))
    except FAILURES as error:
        raise connect_error(error, region.name, auth_url) from error


def _discover_without_token(plugin: BaseIdentityPlugin) -> None:
    """Let a plugin read the versions of Keystone without a token while it signs in.

    If they are answered with 401, keystoneauth would request them with a token, for which it waits
    for its own sign-in, without end.
    """
    usual = plugin.get_discovery

    def get_discovery(session: Session, url: str, authenticated: bool | None = None) -> Discover:
        if authenticated is not False:
            return usual(session, url, authenticated)
        without = copy.copy(session)
        without.auth = None
        try:
            return usual(without, url, authenticated)
        except keystoneauth1.exceptions.MissingAuthPlugin as error:
            raise keystoneauth1.exceptions.Unauthorized(f"GET {url}: status 401") from error

    plugin.get_discovery = get_discovery  # type: ignore[method-assign]


def v3_url(auth_url: str) -> str:
    """Return the URL of version 3 of an identity API, whose URL may be without a version."""
    url = auth_url.rstrip("/")
    return url if url.endswith("/v3") else f"{url.removesuffix('/v2.0')}/v3"


def facts_of(token: AccessInfo, config: CloudRegion) -> CloudFacts:
    """Read the facts from a token and the configuration with which it was issued.

    A service that has no endpoint of the configured interface in the configured region is left out.
    """
    catalog = token.service_catalog
    interface, region = config.get_interface() or "public", config.get_region_name() or ""
    by_type = catalog.get_endpoints_data(interface=interface, region_name=region or None)
    identity = (entry for entry in catalog.catalog if entry.get("type") == "identity")
    return CloudFacts(
        name=config.name or "environment",
        auth_url=config.get_auth_args().get("auth_url", ""),
        region=region,
        user=token.username or token.user_id or "",
        project=token.project_name or token.project_id or "",
        roles=tuple(sorted(token.role_names or ())),
        endpoints={kind: found[0].url or "" for kind, found in by_type.items() if found},
        identity_service=next((entry.get("id", "") for entry in identity), ""),
    )
