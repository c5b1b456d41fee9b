"""Choose the images and flavors of a cloud from which the tests create servers.

What the user names is looked up and checked. :mod:`.server_choice` chooses the rest.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import openstack.exceptions
from openstack.compute.v2.flavor import Flavor
from openstack.image.v2.image import Image

from refstack_client.cloud.connection import Cloud
from refstack_client.cloud.failures import reported_as
from refstack_client.errors import CloudError
from refstack_client.tempest import server_choice
from refstack_client.tempest.choice import Pins, Remark
from refstack_client.tempest.server_choice import SECTION, Candidates, ServerChoice
from refstack_client.tempest.settings import Setting

_IMAGES = ("image_ref", "image_ref_alt")
_FLAVORS = ("flavor_ref", "flavor_ref_alt")
_FAILURE = "cannot list the images and flavors of the cloud"
_HINT = "openstack image list and openstack flavor list show the same error"

_T = TypeVar("_T")


def choose(cloud: Cloud, settings: Sequence[Setting]) -> ServerChoice:
    """Choose images and flavors, with community images only if no public one boots.

    :param settings: of the user; what they name is used, after a check
    :raises CloudError: no server can be created, or what the user names does not exist or fit
    """
    with reported_as(_FAILURE, _HINT):
        return _choose(cloud, Pins.of(SECTION, settings))


def is_named(settings: Sequence[Setting]) -> bool:
    """Return whether the user names an image or a flavor."""
    return not {*_IMAGES, *_FLAVORS}.isdisjoint(Pins.of(SECTION, settings).ids)


def check_named(cloud: Cloud, settings: Sequence[Setting]) -> None:
    """Check that the user of a connection can use the images and flavors that the settings name.

    :raises CloudError: one does not exist for that user, or no server boots from it
    """
    with reported_as(_FAILURE, _HINT):
        _named(cloud, Pins.of(SECTION, settings))


@dataclass(frozen=True)
class _Named:
    """The images and flavors that the user names, by option."""

    images: Mapping[str, Image]
    flavors: Mapping[str, Flavor]

    def candidates(self, images: Sequence[Image], flavors: Sequence[Flavor]) -> Candidates:
        """Return what each option may be: the named one, else one from the lists."""
        return Candidates(
            images=self._only(self.images, "image_ref", images),
            images_alt=self._only(self.images, "image_ref_alt", images),
            flavors=self._only(self.flavors, "flavor_ref", flavors),
            flavors_alt=self._only(self.flavors, "flavor_ref_alt", flavors),
        )

    @staticmethod
    def _only(named: Mapping[str, _T], option: str, others: Sequence) -> Sequence:
        return [named[option]] if option in named else others


def _choose(cloud: Cloud, pins: Pins) -> ServerChoice:
    named = _named(cloud, pins)
    all_flavors = list(cloud.connection.compute.flavors())
    flavors = _usable_flavors(all_flavors, named)
    seen: list[Image] = []
    for visibility in ("public", "community"):
        seen += cloud.connection.image.images(status="active", visibility=visibility)
        candidates = named.candidates(list(filter(server_choice.is_usable, seen)), flavors)
        if servers := server_choice.choose(candidates):
            _check_alternatives(servers, named, pins)
            return servers
    raise _no_servers(named, pins, seen, all_flavors)


def _named(cloud: Cloud, pins: Pins) -> _Named:
    connection = cloud.connection
    images = {
        option: _found(connection.image.get_image, pins, option, "image")
        for option in _IMAGES
        if option in pins.ids
    }
    flavors = {
        option: _found(connection.compute.get_flavor, pins, option, "flavor")
        for option in _FLAVORS
        if option in pins.ids
    }
    for option, image in images.items():
        _check_image(cloud, image, pins, option)
    for option, flavor in flavors.items():
        _check_flavor(cloud, flavor, pins, option)
    return _Named(images, flavors)


def _found(get: Callable[[str], _T], pins: Pins, option: str, kind: str) -> _T:
    hint = f"openstack {kind} list shows the ids"
    if not pins.ids[option]:
        raise pins.error(option, f"the id of the {kind} is missing", hint)
    try:
        return get(pins.ids[option])
    except (openstack.exceptions.NotFoundException, openstack.exceptions.BadRequestException):
        raise pins.error(option, f"there is no such {kind} for this user", hint) from None


def _check_image(cloud: Cloud, image: Image, pins: Pins, option: str) -> None:
    """Check that servers can boot from a named image, in every project as which tests run."""
    for reason, applies in server_choice.NEVER_BOOT:
        if applies(image):
            raise pins.error(option, f"the image is {reason}", "name an image that boots")
    own = ("private", "shared") if cloud.facts.is_admin else ("private",)
    if image.visibility in own:
        raise pins.error(
            option,
            f"the image is {image.visibility}: not every project of the tests can use it",
            f"openstack image set --community {image.id}",
        )


def _check_flavor(cloud: Cloud, flavor: Flavor, pins: Pins, option: str) -> None:
    if flavor.is_disabled:
        raise pins.error(option, "the flavor is disabled", "name another flavor")
    if cloud.facts.is_admin and not flavor.is_public:
        raise pins.error(
            option,
            "the flavor is private: a tenant that is created for the run cannot use it",
            "name a public flavor, or list users with access to it in a file and use --accounts",
        )


def _usable_flavors(flavors: Sequence[Flavor], named: _Named) -> Sequence[Flavor]:
    """Return the flavors to choose from: enabled, public if there are such, and with a disk.

    By default Nova does not boot an image with a flavor without a disk. Whoever names such a flavor
    knows that the policy of the cloud permits it.
    """
    enabled = [flavor for flavor in flavors if not flavor.is_disabled]
    public = [flavor for flavor in enabled if flavor.is_public] or enabled
    if any(not flavor.disk for flavor in named.flavors.values()):
        return public
    return [flavor for flavor in public if flavor.disk]


def _check_alternatives(servers: ServerChoice, named: _Named, pins: Pins) -> None:
    """Check that a named alternative is what was chosen, or the first choice itself."""
    image = named.images.get("image_ref_alt")
    if image and image.id not in (servers.image.id, servers.image_alt.id):
        reason = server_choice.image_misfit(servers.image, image, servers.flavor)
        raise pins.error("image_ref_alt", reason, "name another image, or a flavor for both")
    flavor = named.flavors.get("flavor_ref_alt")
    if flavor and flavor.id not in (servers.flavor.id, servers.flavor_alt.id):
        reason = server_choice.flavor_misfit(servers.image, servers.flavor, flavor)
        raise pins.error("flavor_ref_alt", reason, "name another flavor to which servers resize")


def _no_servers(
    named: _Named, pins: Pins, images: Sequence[Image], flavors: Sequence[Flavor]
) -> CloudError:
    image, flavor = named.images.get("image_ref"), named.flavors.get("flavor_ref")
    if image and flavor:
        reason = server_choice.misfit(image, flavor)
        return pins.error("flavor_ref", reason, "name a larger flavor, or a smaller image")
    if flavor:
        return pins.error(
            "flavor_ref",
            f"no image that tenants may use boots from {flavor.name}, which has a disk of "
            f"{flavor.disk} GB and {flavor.ram} MB of memory",
            "name a larger flavor, or an image with --set compute.image_ref=ID",
        )
    if image:
        reason = server_choice.no_flavor(image, flavors)
        return pins.error("image_ref", reason, "make a flavor public, or name a smaller image")
    return CloudError(
        server_choice.refusal(images, flavors),
        hint="make an image and a flavor that fit public, or name them with "
        "--set compute.image_ref=ID and --set compute.flavor_ref=ID",
    )


def remarks(servers: ServerChoice) -> Iterator[Remark]:
    """Yield what is worth knowing about images and flavors: rare kinds, and tests that fail."""
    image, flavor = servers.image, servers.flavor
    hint = "name another with --set {}=ID"
    for option, applies, message in (
        ("image_ref", image.visibility != "public", f"{image.name} is {image.visibility}"),
        (
            "image_ref",
            server_choice.is_foreign(image),
            f"{image.name} is for the architecture {server_choice.architecture(image)}",
        ),
        (
            "image_ref_alt",
            servers.image_alt.id == image.id,
            f"{image.name} again: tests that need two images skip",
        ),
        (
            "flavor_ref",
            not flavor.disk,
            f"{flavor.name} has no disk: by default Nova refuses to boot an image with it",
        ),
        (
            "flavor_ref",
            server_choice.is_special(flavor),
            f"{flavor.name} requests hosts of a special kind: {', '.join(flavor.extra_specs)}",
        ),
        (
            "flavor_ref_alt",
            servers.flavor_alt.id == flavor.id,
            f"{flavor.name} again: tests that resize a server fail",
        ),
    ):
        if applies:
            full = f"{SECTION}.{option}"
            yield Remark(full, message, hint.format(full))
