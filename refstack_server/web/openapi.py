"""The OpenAPI document: what FastAPI cannot derive from the handlers."""

from typing import Any

import pydantic
from fastapi import FastAPI

from refstack_server.web.errors import PROBLEM_JSON, ErrorDocument, ProblemDocument

Responses = dict[int | str, dict[str, Any]]
_OPTIONAL: dict[str, list[str]] = {}
"""In the list of security schemes: none of them."""


def _refused(media_type: str, document: type) -> Responses:
    content = {media_type: {"schema": pydantic.TypeAdapter(document).json_schema()}}
    return {
        "4XX": {"description": "The request is refused", "content": content},
        "5XX": {"description": "The server cannot answer now", "content": content},
    }


ERRORS = _refused("application/json", ErrorDocument)
"""The refusals of the API v1, which answers 400 where FastAPI would answer 422."""
PROBLEMS = _refused(PROBLEM_JSON, ProblemDocument)
"""The refusals of the API v2."""


class Application(FastAPI):
    """An application whose callers may be anonymous."""

    def openapi(self) -> dict[str, object]:
        """Return the OpenAPI document.

        A token is optional: a request that needs one is answered with 401.
        """
        document = super().openapi()
        for operations in document["paths"].values():
            for operation in operations.values():
                if _OPTIONAL not in operation.get("security", [_OPTIONAL]):
                    operation["security"].append(_OPTIONAL)
        return document
