"""Refusals as HTTP answers."""

import pytest

from refstack_server.store import errors
from refstack_server.web.errors import IdentityProviderError, refusal


@pytest.mark.parametrize(
    ("error", "document"),
    [
        (errors.InvalidError("wrong", "/name"), {"code": 400, "title": "wrong", "detail": "/name"}),
        (errors.InvalidError("wrong"), {"code": 400, "title": "wrong"}),
        (errors.NotFoundError("no x"), {"code": 404, "title": "no x"}),
        (errors.ConflictError("taken"), {"code": 409, "title": "taken"}),
        (
            errors.UnauthenticatedError("sign in"),
            {"code": 401, "title": "Unauthorized", "detail": "sign in"},
        ),
        (
            errors.ForbiddenError("not you"),
            {"code": 403, "title": "Forbidden", "detail": "not you"},
        ),
        (IdentityProviderError("down", "why"), {"code": 502, "title": "down", "detail": "why"}),
    ],
)
def test_a_refusal_has_the_shape_of_refstack_v1(error, document):
    body = refusal(error).as_json()
    assert (body, list(body)) == (document, list(document))


def test_every_domain_error_has_an_http_status():
    for kind in errors.RefusedError.__subclasses__():
        assert 400 <= refusal(kind("message")).status < 600
