"""The shapes of a sandbox, as a table.

Each is a form that real clouds have. A shape is data: :mod:`.shape_model` describes the fields, and
``docs/how-to/shapes.rst`` has the source of each.
"""

from collections.abc import Collection, Sequence

from refstack_client.errors import UsageError
from refstack_client.sandbox.credentials import REGION
from refstack_client.sandbox.deployment import HOST
from refstack_client.sandbox.shape_model import (
    SHARED_PORT,
    Answer,
    Flavor,
    ForeignService,
    Image,
    Mount,
    Shape,
    combine,
)


def _below(prefix: str, version: str = "") -> Mount:
    return Mount(prefix + version, {prefix: ""}, SHARED_PORT)


def _version(path: str) -> Answer:
    """Return a list of versions with one entry, whose link is ``path``."""
    links = [{"rel": "self", "href": f"{{foreign}}{path}"}]
    return Answer(200, {"versions": [{"id": "v2.0", "status": "CURRENT", "links": links}]})


def _error(status: int, message: str) -> Answer:
    return Answer(status, {"error": {"code": status, "title": message, "message": message}})


_POLICY = {"faultcode": "Client", "faultstring": "Policy does not allow this request."}

FOREIGN = (
    # Octavia's default policy refuses a plain member.
    ForeignService("octavia", "load-balancer", {"": _version("/v2"), "/v2": Answer(403, _POLICY)}),
    ForeignService("manilav2", "sharev2", {"": _error(401, "Unauthorized")}, "{foreign}/v2"),
    ForeignService("manila", "share", {"": _error(401, "Unauthorized")}, "{foreign}/v1/x"),
    ForeignService("barbican", "key-manager", {"": _error(404, "Not Found")}),
    ForeignService("heat", "orchestration", {"": _error(500, "Internal Server Error")}),
    ForeignService("trove", "database", {"": _error(503, "Service Unavailable")}),
    ForeignService("masakari", "instance-ha", {"": Answer(0)}),
    ForeignService("magnum", "container-infra", url="{dead}/v1"),
    ForeignService("designate", "dns", {"": _version("/v2")}, region="RegionElsewhere"),
    ForeignService("blazar", "reservation", {"": _version("/v1")}, interface="internal"),
    ForeignService("ironic", "baremetal", url="http://[::1:6385"),
    ForeignService("aodh", "alarming", url=""),
    ForeignService("zaqar", "messaging", url="http://$(my_ip)s:8888/v2/%(tenant_id)s"),
    ForeignService("sahara", "data-processing", url=None),
    ForeignService("", "accelerator", {"": _error(404, "Not Found")}),
    # Not an OpenStack type, and a body that is not JSON of an API.
    ForeignService("acme-billing", "acme:billing", {"": Answer(200, {"hello": "world"})}),
)

_MIB = 1024
SCS_FLAVORS = tuple(
    Flavor(name, vcpus, gib * _MIB, disk)
    for name, vcpus, gib, disk in (
        ("SCS-1L-1", 1, 1, 0),
        ("SCS-1V-2", 1, 2, 0),
        ("SCS-1V-4", 1, 4, 0),
        ("SCS-2V-4", 2, 4, 0),
        ("SCS-2V-4-20s", 2, 4, 20),
        ("SCS-1L-1-5", 1, 1, 5),
        ("SCS-1V-4-10", 1, 4, 10),
    )
)

SHAPES = {
    "devstack": Shape(
        "all services below one port, without an identity version in auth_url",
        mounts={
            "keystone": _below("/identity"),
            "glance": _below("/image"),
            "placement": _below("/placement"),
            "neutron": _below("/networking"),
            "cinder": _below("/volume", "/v3"),
            "nova": _below("/compute", "/v2.1"),
        },
    ),
    "internal-only": Shape(
        "nothing listens at the public endpoints; the internal ones work",
        dead=("public",),
        clouds={"interface": "internal"},
    ),
    "private-ca": Shape(
        "https, with a certificate of a private certificate authority",
        url={"scheme": "https"},
        clouds={"cacert": "{conf}/ca.pem"},
    ),
    "http-proxy": Shape(
        "the host name resolves nowhere; only an HTTP proxy reaches the cloud",
        url={"host": "cloud.invalid"},
        environ={
            **dict.fromkeys(("http_proxy", "https_proxy"), "http://{host}:{port[http-proxy]}"),
            "no_proxy": "localhost,{host}",
        },
    ),
    "two-regions": Shape(
        f"{REGION} and RegionTwo, clouds.yaml names neither; the services of the first are down",
        regions=(REGION, "RegionTwo"),
        dead=(REGION,),
        clouds={"region_name": None},
    ),
    "foreign-services": Shape(
        f"{len(FOREIGN)} services that no programme tests, each with another defect",
        foreign=FOREIGN,
    ),
    "rate-limited": Shape(
        "Keystone answers 429 with Retry-After above 10 requests a second",
        limits={"keystone": 10},
    ),
    "scs-flavors": Shape(
        "flavors with the names of SCS-0103, most of them without a disk",
        services=("nova",),
        flavors=SCS_FLAVORS,
    ),
    "community-images": Shape(
        "newer images that do not boot, or that a tenant does not see in the list",
        services=("glance",),
        images=(
            Image("shape-community", "community"),
            Image("shape-shared", "shared"),
            Image("shape-private", "private"),
            Image("shape-hidden", is_hidden=True),
            Image("shape-deactivated", status="deactivated"),
            Image("shape-queued", status="queued"),
            Image("shape-ramdisk", format="ari"),
            Image("shape-kernel", format="aki"),
        ),
    ),
    "old-roles": Shape(
        "tenants have the role _member_; there is no member and no reader",
        roles={
            "member": "_member_",
            **dict.fromkeys(("reader", "manager", "service", "SwiftOperator")),
        },
    ),
    "rgw": Shape(
        "object storage below /swift/v1 without an account, as Ceph's RADOS Gateway has it",
        services=("swift",),
        mounts={
            "swift": Mount(
                "/swift/v1",
                {
                    "/swift/v1": "/v1/AUTH_{project_id}",
                    "/swift/info": "/info",
                    "/swift/healthcheck": "/healthcheck",
                },
            )
        },
    ),
    "ipv6": Shape("every URL has the IPv6 address [::1]", url={"host": "[::1]"}),
    "no-project-scope": Shape(
        "clouds.yaml names no project",
        clouds={"auth.project_name": None, "auth.project_domain_name": None},
    ),
    "star-region": Shape("the identity service is in the region *", region_of={"keystone": "*"}),
    "no-region": Shape("the identity service is in no region", region_of={"keystone": None}),
}
"""By name."""


def hosts() -> tuple[str, ...]:
    """Return the hosts that URLs of a sandbox can have."""
    return (HOST, *(shape.url["host"] for shape in SHAPES.values() if "host" in shape.url))


def find(names: Sequence[str], services: Collection[str]) -> Shape:
    """Return the combination of the shapes called ``names``; without any, the plain shape.

    :param services: those of the sandbox
    :raises UsageError: there is no such shape, it does not concern the sandbox, or two of them
        cannot be combined
    """
    for name in names:
        if name not in SHAPES:
            raise UsageError(
                f"there is no shape called {name}", hint=f"choose from {', '.join(SHAPES)}"
            )
        concerned = SHAPES[name].services
        if concerned and not set(concerned) & set(services):
            raise UsageError(
                f"the shape {name} changes nothing here: "
                f"this sandbox has no service {' or '.join(concerned)}",
                hint="choose another --profile",
            )
    return combine({name: SHAPES[name] for name in names}) if names else Shape()
