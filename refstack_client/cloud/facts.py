"""What is known of a cloud without asking it again."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

ADMIN_ROLE = "admin"


@dataclass(frozen=True)
class CloudFacts:
    """What a token says of a cloud and of its bearer; no secrets."""

    name: str
    auth_url: str
    region: str
    user: str
    project: str
    roles: tuple[str, ...]
    endpoints: Mapping[str, str]
    """By service type, in the catalogue's own words."""
    identity_service: str = ""
    """Id of the identity service in the catalogue, "" where it gives none."""

    @property
    def is_admin(self) -> bool:
        return ADMIN_ROLE in self.roles

    def as_json(self) -> dict[str, Any]:
        return asdict(self)
