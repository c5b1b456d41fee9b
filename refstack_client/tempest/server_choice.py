"""Choose the images and flavors from which the tests create servers: a function of two lists.

The order of flavors: those for ordinary hosts first, then less memory, fewer vCPUs, a smaller disk.
The order of images: those for x86_64 first, then a smaller disk, less data.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from openstack.compute.v2.flavor import Flavor
from openstack.image.v2.image import Image

from refstack_client.tempest.settings import Setting

SECTION = "compute"
_GIB = 2**30
_USUAL_ARCHITECTURES = ("", "x86_64", "amd64")
_NOT_DISKS = ("aki", "ari")
_USER_PROPERTIES = ("os_admin_user", "image_original_user")
"""Properties of an image that name the user to log in as: of Glance, and of SCS-0102."""
_USERS = {
    **{name: name for name in ("almalinux", "alpine", "arch", "cirros", "debian", "fedora")},
    **{name: name for name in ("opensuse", "rocky", "ubuntu")},
    "rhel": "cloud-user",
}
"""Users of the images that distributions publish, by ``os_distro``."""

_SPECIAL_HOSTS = ("resources", "trait", "pci_passthrough:", "accel:", "capabilities:", "hw:mem_enc")
"""Starts of extra specs that request a bare metal node, a GPU, or another host of its own kind."""

Fault = tuple[str, Callable[[Image], bool]]

NEVER_BOOT: tuple[Fault, ...] = (
    ("not active", lambda image: image.status != "active"),
    ("a kernel or ramdisk", lambda image: not _formats(image).isdisjoint(_NOT_DISKS)),
)
"""Why no server boots from an image."""

NOT_CHOSEN: tuple[Fault, ...] = (
    *NEVER_BOOT,
    ("hidden", lambda image: bool(image.is_hidden)),
    ("an ISO image", lambda image: image.disk_format == "iso"),
    (
        "encrypted",
        lambda image: _has_property(image, "cinder_encryption_key_id", "os_encrypt_key_id"),
    ),
    ("signed", lambda image: _has_property(image, "img_signature")),
    ("a snapshot of volumes", lambda image: _has_property(image, "block_device_mapping")),
    ("without data", lambda image: image.size == 0),
)
"""Why an image is not chosen; apart from :data:`NEVER_BOOT`, a user may name it all the same."""


@dataclass(frozen=True)
class Candidates:
    """What each option may be; the one that the user names, if so."""

    images: Sequence[Image]
    images_alt: Sequence[Image]
    flavors: Sequence[Flavor]
    flavors_alt: Sequence[Flavor]


@dataclass(frozen=True)
class ServerChoice:
    """The images and flavors from which the tests create servers.

    :param image_alt: for tests that need two images; the same if there is no other
    :param flavor_alt: to which servers are resized; the same if there is no other
    """

    image: Image
    image_alt: Image
    flavor: Flavor
    flavor_alt: Flavor

    def settings(self) -> tuple[Setting, ...]:
        """Return the settings of tempest.conf that name them, and the users to log in as."""
        users = {"image_ssh_user": self.image, "image_alt_ssh_user": self.image_alt}
        return (
            Setting(SECTION, "image_ref", self.image.id),
            Setting(SECTION, "image_ref_alt", self.image_alt.id),
            Setting(SECTION, "flavor_ref", self.flavor.id),
            Setting(SECTION, "flavor_ref_alt", self.flavor_alt.id),
            *(
                Setting("validation", option, user)
                for option, image in users.items()
                if (user := login_user(image))
            ),
        )


def choose(candidates: Candidates) -> ServerChoice | None:
    """Choose a flavor, the first image that boots from it, and another of each.

    A flavor for ordinary hosts is preferred, then one for which there are two images and a flavor
    to resize to, since tests skip or fail without them. Of several the first image and flavor in
    the order of this module are chosen.

    :return: None if no image boots from a flavor
    """
    images = sorted(candidates.images, key=image_order)
    images_alt = sorted(candidates.images_alt, key=image_order)
    flavors_alt = sorted(candidates.flavors_alt, key=flavor_order)
    choices = (
        _with_alternatives(image, flavor, images_alt, flavors_alt)
        for flavor in candidates.flavors
        if (image := next((image for image in images if not misfit(image, flavor)), None))
    )
    return min(choices, key=_preference, default=None)


def _with_alternatives(
    image: Image, flavor: Flavor, images_alt: Iterable[Image], flavors_alt: Iterable[Flavor]
) -> ServerChoice:
    other_images = (other for other in images_alt if not image_misfit(image, other, flavor))
    other_flavors = (other for other in flavors_alt if not flavor_misfit(image, flavor, other))
    return ServerChoice(image, next(other_images, image), flavor, next(other_flavors, flavor))


def _preference(choice: ServerChoice) -> tuple[object, ...]:
    return (
        is_special(choice.flavor),
        is_foreign(choice.image),
        choice.image.id == choice.image_alt.id,
        choice.flavor.id == choice.flavor_alt.id,
        image_order(choice.image),
        flavor_order(choice.flavor),
    )


def image_order(image: Image) -> tuple[object, ...]:
    """Return the key by which images are sorted."""
    return is_foreign(image), disk_needed(image), image.size or 0, image.name or "", image.id


def flavor_order(flavor: Flavor) -> tuple[object, ...]:
    """Return the key by which flavors are sorted."""
    name = flavor.name or ""
    return is_special(flavor), flavor.ram, flavor.vcpus, flavor.disk, name, flavor.id


def misfit(image: Image, flavor: Flavor) -> str:
    """Return why a server of a flavor cannot boot from an image; "" if it can.

    A flavor without a disk gives the server one of the size of the image.
    """
    if flavor.ram < (memory := image.min_ram or 0):
        return f"{flavor.name} has {flavor.ram} MB of memory, and {image.name} needs {memory} MB"
    if 0 < flavor.disk < (disk := disk_needed(image)):
        return f"{flavor.name} has a disk of {flavor.disk} GB, and {image.name} needs {disk} GB"
    return ""


def image_misfit(image: Image, other: Image, flavor: Flavor) -> str:
    """Return why a server of ``image`` cannot be rebuilt from ``other``; "" if it can."""
    if other.id == image.id:
        return f"{other.name} is the same image"
    if is_foreign(other) != is_foreign(image):
        return f"{other.name} and {image.name} are for different architectures"
    return misfit(other, flavor)


def flavor_misfit(image: Image, flavor: Flavor, other: Flavor) -> str:
    """Return why a server of ``flavor`` cannot be resized to ``other``; "" if it can."""
    if other.id == flavor.id:
        return f"{other.name} is the same flavor"
    if other.disk < flavor.disk:
        return (
            f"{other.name} has a disk of {other.disk} GB, {flavor.name} one of {flavor.disk} GB: "
            "a resize to a smaller disk is refused"
        )
    return misfit(image, other)


def disk_needed(image: Image) -> int:
    """Return the size in GB of the disk that an image needs."""
    size = max(image.size or 0, image.virtual_size or 0)
    return max(image.min_disk or 0, math.ceil(size / _GIB))


def is_special(flavor: Flavor) -> bool:
    """Return whether a flavor requests hosts of a special kind: bare metal, a GPU, a trait."""
    return any(key.startswith(_SPECIAL_HOSTS) for key in flavor.extra_specs or ())


def is_foreign(image: Image) -> bool:
    """Return whether an image is for another architecture than x86_64, which most clouds have."""
    return architecture(image) not in _USUAL_ARCHITECTURES


def architecture(image: Image) -> str:
    """Return the architecture that an image states; "" if it states none."""
    stated = image.architecture or (image.properties or {}).get("hw_architecture") or ""
    return str(stated).lower()


def login_user(image: Image) -> str:
    """Return the user to log in as at a server of an image; "" if that is not known."""
    properties = image.properties or {}
    for name in _USER_PROPERTIES:
        if user := getattr(image, name, None) or properties.get(name):
            return str(user)
    distribution = image.os_distro or str(image.name).partition("-")[0]
    return _USERS.get(distribution.lower(), "")


def is_usable(image: Image) -> bool:
    """Return whether an image may be chosen."""
    return not any(applies(image) for _, applies in NOT_CHOSEN)


def refusal(images: Sequence[Image], flavors: Sequence[Flavor]) -> str:
    """Return why :func:`choose` finds nothing among images and flavors that a tenant may use."""
    usable = [image for image in images if is_usable(image)]
    if not usable:
        return f"the cloud has no image from which its tenants can boot{_rejected(images)}"
    return no_flavor(min(usable, key=image_order), flavors)


def no_flavor(image: Image, flavors: Sequence[Flavor]) -> str:
    """Return why no server can boot from an image with any of some flavors."""
    if not flavors:
        return "the cloud has no flavor that its tenants may use"
    if not any(flavor.disk for flavor in flavors):
        return (
            "no flavor of the cloud has a disk, and Nova refuses to boot an image with such a "
            "flavor unless its policy os_compute_api:servers:create:zero_disk_flavor permits it"
        )
    return (
        f"no flavor of the cloud suffices for the image {image.name}, which needs a disk of "
        f"{disk_needed(image)} GB and {image.min_ram or 0} MB of memory"
    )


def _rejected(images: Sequence[Image]) -> str:
    """Return how many images have which fault, as an addition to a sentence."""
    reasons = Counter(
        next(reason for reason, applies in NOT_CHOSEN if applies(image)) for image in images
    )
    counts = ", ".join(f"{count} {reason}" for reason, count in reasons.items())
    return f" ({counts})" if counts else ""


def _formats(image: Image) -> set[str | None]:
    return {image.disk_format, image.container_format}


def _has_property(image: Image, *names: str) -> bool:
    return any((image.properties or {}).get(name) for name in names)
