"""The tempest.conf that a run would use.

Nothing is created in the cloud unless that is requested. Values that depend on tenants are then
unknown.
"""

import dataclasses
import secrets
from dataclasses import dataclass

from refstack_client.cloud.account import Account
from refstack_client.planning.request import CertificationRequest
from refstack_client.planning.workers import Workers
from refstack_client.running.tempest_session import connect_for, opened, service_groups
from refstack_client.tempest import conf as tempest_conf
from refstack_client.tempest.conf import Choices, Conf
from refstack_client.tempest.workspace import Workspace, workspace
from refstack_client.tenants import creation, provision
from refstack_client.tenants.resource_record import ResourceRecord

UNKNOWN = "unknown until tenants are created; --provision creates and removes them"


@dataclass(frozen=True)
class EffectiveConf:
    """A tempest.conf, secrets hidden.

    :param values: the known values
    :param unknown: section and option of the values that are known only when tenants exist
    :param leaked: a sentence for each resource that could not be removed from the cloud
    """

    values: Conf
    unknown: tuple[tuple[str, str], ...] = ()
    leaked: tuple[str, ...] = ()

    def render(self, *, origins: bool = False) -> str:
        """Return the text of the file; unknown values are comments at its start.

        :param origins: add a comment above each value that names its origin
        """
        lines = [f"# {section}.{option}: {UNKNOWN}\n" for section, option in self.unknown]
        return "".join(lines) + tempest_conf.render(self.values, origins=origins)


def provisioned(request: CertificationRequest) -> EffectiveConf:
    """Return the tempest.conf for tenants that are created for that and removed again.

    :raises CloudError: the cloud or the credentials cannot be used
    """
    cloud, request = connect_for(request)
    few = dataclasses.replace(request, workers=Workers(1))
    leaked: list[str] = []
    try:
        with workspace() as space:
            record = ResourceRecord(_prefix(), space.log, space.directory / "record")
            with opened(few, cloud, space, record, leaked) as tempest:
                values = _shown(space, dataclasses.replace(tempest.choices, relay=()))
    except BaseException as error:
        for sentence in leaked:
            error.add_note(f"not removed: {sentence}")
        raise
    return EffectiveConf(values, leaked=tuple(leaked))


def preview(request: CertificationRequest) -> EffectiveConf:
    """Return the tempest.conf as far as it is known without creating anything.

    :raises CloudError: the cloud or the credentials cannot be used
    """
    cloud, request = connect_for(request)
    services = service_groups(request, cloud)
    resources = provision.choose_resources(request, cloud).settings
    users: tuple[Account, ...] = ()
    unknown: tuple[tuple[str, str], ...] = ()
    if provision.uses_accounts(request, cloud.facts):
        tenants = provision.from_accounts(request, cloud)
        users, roles = tenants.users, tenants.roles
    else:
        roles = provision.roles_of_cloud(request, creation.roles(cloud))
        unknown = provision.NETWORK_OPTIONS if provision.needs_networks(request) else ()
    choices = Choices(services, users, roles, request.settings, _prefix(), resources)
    overridden = {(setting.section, setting.option) for setting in request.settings}
    with workspace() as space:
        values = _shown(space, choices)
    return EffectiveConf(values, tuple(key for key in unknown if key not in overridden))


def _prefix() -> str:
    return f"refstack-{secrets.token_hex(3)}"


def _shown(space: Workspace, choices: Choices) -> Conf:
    """Return the options for ``choices`` without paths in the workspace, which is removed."""
    conf = tempest_conf.write(space, tempest_conf.compose(space, choices), choices)
    directory = str(space.directory)
    return {key: value for key, value in conf.items() if directory not in value.text}
