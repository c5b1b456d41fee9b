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
    :param insecure: accept any certificate, also if clouds.yaml requests verification
    """

    name: str | None = None
    region: str | None = None
    interface: str | None = None
    insecure: bool = False

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
            self.insecure or other.insecure,
        )

    def overrides(self) -> dict[str, str | bool]:
        """Return what takes precedence over clouds.yaml, as openstacksdk takes it."""
        values = {
            "region_name": self.region or os.environ.get("OS_REGION_NAME"),
            "interface": self.interface
            or os.environ.get("OS_INTERFACE")
            or os.environ.get("OS_ENDPOINT_TYPE"),
            "cacert": os.environ.get("OS_CACERT"),
        }
        named: dict[str, str | bool] = {key: value for key, value in values.items() if value}
        return {**named, "verify": False} if self.insecure else named
