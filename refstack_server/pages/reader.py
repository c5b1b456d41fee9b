"""The reader of a page, as its header shows them. A worker that renders needs no web framework."""

from dataclasses import dataclass

from refstack_server.settings import NAME


@dataclass(frozen=True)
class Visitor:
    """The reader of a page.

    ``csrf`` is the token of the forms of a signed-in browser, "" without one; ``can_sign_in`` is
    true if the server has an identity provider. ``registry`` is the name of the registry.
    """

    openid: str = ""
    name: str = ""
    csrf: str = ""
    is_foundation: bool = False
    can_sign_in: bool = False
    registry: str = NAME


ANONYMOUS = Visitor()
