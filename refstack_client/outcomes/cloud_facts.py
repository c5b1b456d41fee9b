"""The facts of a cloud that a plan and a bundle record."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from refstack_client.outcomes.json_value import JsonObject, JsonValue

ADMIN_ROLE = "admin"


@dataclass(frozen=True)
class CloudFacts:
    """What a token shows of a cloud and of its bearer, without secrets."""

    name: str
    auth_url: str
    region: str
    user: str
    project: str
    roles: tuple[str, ...]
    endpoints: Mapping[str, str]
    """URL by service type, as the service catalog names it."""
    identity_service: str = ""
    """Id of the identity service in the service catalog, "" where it has none."""

    @classmethod
    def from_json(cls, document: JsonValue) -> "CloudFacts":
        """Read what :meth:`as_json` wrote.

        :raises InputError: it has another form; names file and JSON pointer
        """
        return cls(
            name=document.member("name").text(),
            auth_url=document.member("auth_url").text(),
            region=document.member("region").text(),
            user=document.member("user").text(),
            project=document.member("project").text(),
            roles=document.member("roles").texts(),
            endpoints=document.member("endpoints").text_by_name(),
            identity_service=document.optional("identity_service", JsonValue.text, ""),
        )

    @property
    def is_admin(self) -> bool:
        """Return whether the user has the role ``admin``."""
        return ADMIN_ROLE in self.roles

    def as_json(self) -> JsonObject:
        """Return the form that :meth:`from_json` reads."""
        return asdict(self)
