"""Connect to a cloud with openstacksdk."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import keystoneauth1.exceptions
import openstack
from keystoneauth1.access import AccessInfo
from openstack.config.cloud_region import CloudRegion
from openstack.connection import Connection

from refstack_client.cloud import clouds_yaml
from refstack_client.cloud.account import Account
from refstack_client.cloud.failures import FAILURES, summary
from refstack_client.errors import CloudError
from refstack_client.outcomes.cloud_facts import CloudFacts

SECONDS_TO_CONNECT = 10


@dataclass(frozen=True)
class Cloud:
    """A cloud with an authenticated connection.

    :param connection: of the user that clouds.yaml or ``OS_*`` name
    :param facts: what the token of the connection states
    """

    connection: Connection = field(repr=False)
    facts: CloudFacts

    @classmethod
    def of(cls, connection: Connection) -> "Cloud":
        """Return the cloud of a connection, which is authenticated for that."""
        access = connection.session.auth.get_access(connection.session)
        return cls(connection, facts_of(access, connection.config))

    @property
    def auth_url(self) -> str:
        """Return the URL of the identity service."""
        return self.facts.auth_url

    @property
    def interface(self) -> str:
        """Return the interface of the endpoints in use."""
        return self.connection.config.get_interface() or "public"

    @property
    def region(self) -> str | None:
        """Return the name of the region in use; None for any."""
        return self.facts.region or None

    @property
    def tls(self) -> "Tls":
        """Return how the certificates of the cloud are verified."""
        config = self.connection.config.config
        return Tls(bool(config.get("verify", True)), config.get("cacert"))

    @property
    def tempest_settings(self) -> Sequence[str]:
        """Return the ``section.option=value`` of tempest.conf that clouds.yaml has as tempest."""
        return self.connection.config.config.get("tempest") or ()

    def connect_as(self, auth: Mapping[str, str]) -> Connection:
        """Return a connection to the same cloud as another user.

        :param auth: openstacksdk's ``auth``, without ``auth_url``
        """
        return openstack.connect(
            load_envvars=False,
            load_yaml_config=False,
            auth={"auth_url": self.auth_url, **auth},
            region_name=self.facts.region,
            interface=self.interface,
            verify=self.tls.verify,
            cacert=self.tls.cacert,
            api_timeout=SECONDS_TO_CONNECT,
        )

    def own_account(self) -> Account | None:
        """Return the user of the connection; None if it does not sign in with a password.

        None too if user and project are of different domains, which :class:`Account` does not
        represent.
        """
        session = self.connection.session
        access = session.auth.get_access(session)
        password = self.connection.config.get_auth_args().get("password")
        domain = access.user_domain_name
        if not (password and access.project_name) or access.project_domain_name != domain:
            return None
        return Account(access.username, str(password), access.project_name, domain)


@dataclass(frozen=True)
class Tls:
    """How certificates are verified.

    :param verify: False accepts any certificate
    :param cacert: path of the file with the certificate authorities; None for those of the system
    """

    verify: bool = True
    cacert: str | None = None


def connect(os_cloud: str | None) -> Cloud:
    """Connect to a cloud and authenticate.

    :param os_cloud: name of the cloud; None for ``OS_CLOUD`` or the ``OS_*`` variables
    :raises CloudError: credentials are missing or refused, or the cloud does not respond
    """
    region = clouds_yaml.load_region(os_cloud)
    region.config.setdefault("api_timeout", SECONDS_TO_CONNECT)
    auth_url = (region.get_auth_args() or {}).get("auth_url", "")
    try:
        return Cloud.of(Connection(config=region))
    except FAILURES as error:
        raise _explain(error, region.name, auth_url) from error


def facts_of(access: AccessInfo, config: CloudRegion) -> CloudFacts:
    """Read the facts from a token and the configuration with which it was issued.

    A service that has no endpoint of the configured interface in the configured region is left out.
    """
    catalog = access.service_catalog
    interface, region = config.get_interface() or "public", config.get_region_name() or ""
    urls = {
        service_type: catalog.get_urls(
            service_type=service_type, interface=interface, region_name=region or None
        )
        for service_type in catalog.get_endpoints()
    }
    identity = (entry for entry in catalog.catalog if entry.get("type") == "identity")
    return CloudFacts(
        name=config.name or "environment",
        auth_url=config.get_auth_args().get("auth_url", ""),
        region=region,
        user=access.username or access.user_id or "",
        project=access.project_name or access.project_id or "",
        roles=tuple(sorted(access.role_names or ())),
        endpoints={kind: url for kind, found in urls.items() for url in found[:1] if url},
        identity_service=next((entry.get("id", "") for entry in identity), ""),
    )


def _explain(error: Exception, name: str, auth_url: str) -> CloudError:
    where = auth_url or f"the cloud {name}"
    for kinds, message, hint in (
        (
            keystoneauth1.exceptions.Unauthorized,
            f"{where} refused the credentials of {name}",
            "check user, password, project and domains, or id and secret of the application "
            "credential",
        ),
        (
            keystoneauth1.exceptions.SSLError,
            f"cannot verify the TLS certificate of {where}",
            "set cacert in clouds.yaml or OS_CACERT to the file of the certificate authority",
        ),
        (
            keystoneauth1.exceptions.ConnectFailure,
            f"cannot connect to {where}",
            "check auth_url, the network, and the proxy if one is in use",
        ),
        (
            (keystoneauth1.exceptions.DiscoveryFailure, keystoneauth1.exceptions.NotFound),
            f"{where} is not the URL of an OpenStack identity service",
            "auth_url usually ends in /v3",
        ),
    ):
        if isinstance(error, kinds):
            return CloudError(message, hint=hint)
    return CloudError(
        f"cannot use {where}: {summary(error)}",
        hint="openstack token issue shows whether the credentials work",
    )
