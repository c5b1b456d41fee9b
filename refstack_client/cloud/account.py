"""A user of a cloud together with its project and password."""

import secrets
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Account:
    """A user who can sign in to one project.

    :param username: name of the user
    :param password: never shown by ``repr``
    :param project_name: name of the project to which the user signs in
    :param domain_name: name of the domain of the user
    :param roles: the roles by which Tempest may request the user
    :param network: name of the project's network; "" lets Tempest find one
    :param project_domain: name of the domain of the project; "" if it is that of the user
    """

    username: str
    password: str = field(repr=False)
    project_name: str
    domain_name: str
    roles: tuple[str, ...] = ()
    network: str = ""
    project_domain: str = ""

    @property
    def project_domain_name(self) -> str:
        """Return the name of the domain of the project."""
        return self.project_domain or self.domain_name

    def as_auth(self) -> dict[str, str]:
        """Return the ``auth`` mapping with which openstacksdk signs in."""
        return {
            "username": self.username,
            "password": self.password,
            "project_name": self.project_name,
            "user_domain_name": self.domain_name,
            "project_domain_name": self.project_domain_name,
        }


def new_password() -> str:
    """Return a random password with upper and lower case, a digit and a special character.

    Common password rules require these.
    """
    return f"Aa1-{secrets.token_urlsafe(24)}"
