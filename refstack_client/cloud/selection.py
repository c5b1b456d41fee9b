"""Which cloud is used, and through which of its endpoints."""

import os
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class CloudSelection:
    """Which cloud is used, and through which of its endpoints.

    :param name: in clouds.yaml; None for ``OS_CLOUD`` or the ``OS_*`` variables
    :param region: name of the region; None for ``OS_REGION_NAME`` or that of clouds.yaml
    :param interface: of the endpoints; None for ``OS_INTERFACE`` or that of clouds.yaml
    """

    name: str | None = None
    region: str | None = None
    interface: str | None = None

    @classmethod
    def recorded(cls, request: Mapping[str, str | None]) -> "CloudSelection":
        """Return the cloud that a request.json names; earlier versions recorded its name alone."""
        return cls(request.get("os_cloud"), request.get("region"), request.get("interface"))

    def or_else(self, other: "CloudSelection") -> "CloudSelection":
        """Return this selection, completed from another one."""
        return CloudSelection(
            self.name or other.name,
            self.region or other.region,
            self.interface or other.interface,
        )

    def overrides(self) -> dict[str, str]:
        """Return what takes precedence over clouds.yaml, as openstacksdk takes it."""
        values = {
            "region_name": self.region or os.environ.get("OS_REGION_NAME"),
            "interface": self.interface
            or os.environ.get("OS_INTERFACE")
            or os.environ.get("OS_ENDPOINT_TYPE"),
            "cacert": os.environ.get("OS_CACERT"),
        }
        return {key: value for key, value in values.items() if value}
