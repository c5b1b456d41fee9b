"""How a request to a cloud fails, and how that is reported."""

import contextlib
from collections.abc import Iterator

import keystoneauth1.exceptions
import openstack.exceptions

from refstack_client.errors import CloudError

FAILURES = (
    openstack.exceptions.SDKException,
    keystoneauth1.exceptions.ClientException,
    AttributeError,
    KeyError,
    TypeError,
    ValueError,
)
"""Exceptions of a failed request; openstacksdk raises the last four on an unexpected response."""

_CHARACTERS = 200


def summary(error: Exception) -> str:
    """Return the reason for a failed request in one line of at most 200 characters and a prefix."""
    message = " ".join(str(error).split())[:_CHARACTERS]
    if isinstance(error, FAILURES[:2]):
        return message
    return f"unexpected response ({type(error).__name__}: {message})"


@contextlib.contextmanager
def reported_as(failure: str, hint: str) -> Iterator[None]:
    """Raise a CloudError in place of the exception of a failed request.

    :param failure: what failed; the message starts with it
    :raises CloudError: a request failed
    """
    try:
        yield
    except FAILURES as error:
        raise CloudError(f"{failure}: {summary(error)}", hint=hint) from error
