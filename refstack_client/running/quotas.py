"""Compare the quotas of a tenant with what a test class creates."""

from collections.abc import Iterator, Mapping

from openstack.resource import Resource

from refstack_client.cloud.connection import Cloud
from refstack_client.planning.request import CertificationRequest
from refstack_client.running.check_result import Check, Level
from refstack_client.tenants import provision

MOST_OF_A_TENANT: Mapping[str, Mapping[str, int]] = {
    "compute": {"instances": 4, "cores": 4, "key_pairs": 3},
    "block-storage": {"volumes": 5, "snapshots": 4, "gigabytes": 12},
    "network": {"networks": 5, "subnets": 6, "ports": 12, "routers": 3, "security_groups": 6},
}
"""The most that test classes have at a time in one project, by service type."""


def check(cloud: Cloud, request: CertificationRequest) -> Iterator[Check]:
    """Yield a check for each tested service that has quotas."""
    account = None
    if provision.uses_accounts(request, cloud.facts):
        account = provision.from_accounts(request, cloud).users[0]
    tested = cloud.seen_by(account.as_auth()) if account else cloud
    for service_type, most in MOST_OF_A_TENANT.items():
        if service_type not in request.service_types:
            continue
        quota = _quota(tested, service_type, own=bool(account))
        short = {
            name: (limit, number)
            for name, number in most.items()
            if (limit := getattr(quota, name, None)) is not None and 0 <= limit < number
        }
        shortage = ", ".join(
            f"{limit} {name}, {number} needed" for name, (limit, number) in short.items()
        )
        yield Check(
            f"quota {service_type}",
            Level.PROBLEM if short else Level.OK,
            f"a tenant may have {shortage}" if short else "suffices for what a test class creates",
            f"raise it: openstack quota set --{next(iter(short))} NUMBER …" if short else "",
        )


def _quota(cloud: Cloud, service_type: str, *, own: bool) -> Resource:
    """Return the quota of the connection's own project, or of a new one."""
    connection = cloud.connection
    if service_type == "network":
        network = connection.network
        get = network.get_quota if own else network.get_quota_default
    else:
        service = connection.compute if service_type == "compute" else connection.block_storage
        get = service.get_quota_set if own else service.get_quota_set_defaults
    return get(connection.current_project_id)
