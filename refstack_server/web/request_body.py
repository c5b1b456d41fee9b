"""What is sent to the server, read strictly: what is wrong is said with its place."""

from typing import Annotated, Any, TypeVar
from urllib.parse import parse_qsl

import pydantic
import pydantic_core

from refstack_server.web.errors import RefusedError, bad_request

NOT_THE_SCHEMA = "Request doesnt correspond to schema"
"""RefStack v1's own words."""

Text = Annotated[str, pydantic.Field(pattern=r"^[^\x00]*$")]
"""No database takes U+0000 in a text."""
Model = TypeVar("Model", bound=pydantic.BaseModel)


class Document(pydantic.BaseModel):
    """A JSON object in which nothing else may stand, and no type is bent into another."""

    model_config = pydantic.ConfigDict(extra="forbid", strict=True)


def read(body: bytes, model: type[Model]) -> Model:
    """Return what a body in JSON says.

    :raises RefusedError: 400, it is no JSON, or something else than ``model``
    """
    return _validated(model, parse(body))


def parse(body: bytes) -> Any:
    """Return the value of a body in JSON.

    :raises RefusedError: 400, it is none
    """
    try:
        return pydantic_core.from_json(body)
    except ValueError as error:
        raise bad_request("Malformed request", str(error)) from error


def read_fields(body: bytes, content_type: str, query: str, model: type[Model]) -> Model:
    """As :func:`read`; a body that is not called JSON is a form, and the query counts too."""
    if content_type.partition(";")[0].strip() == "application/json":
        return _validated(model, parse(body or b"{}"))
    try:
        pairs = parse_qsl(f"{query}&{body.decode()}", keep_blank_values=True)
    except ValueError as error:
        raise bad_request("Malformed request", str(error)) from error
    return _validated(model, dict(pairs))


def _validated(model: type[Model], value: Any) -> Model:
    try:
        return model.model_validate(value)
    except pydantic.ValidationError as error:
        raise _refused(error) from error


def _refused(error: pydantic.ValidationError) -> RefusedError:
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    where = "".join(f"/{part}" for part in first["loc"])
    return bad_request(NOT_THE_SCHEMA, f"{where or '/'}: {first['msg']}")


def schema_of(model: type[pydantic.BaseModel]) -> dict[str, Any]:
    """Return what the OpenAPI document says of a body read by :func:`read`."""
    content = {"application/json": {"schema": model.model_json_schema()}}
    return {"requestBody": {"content": content, "required": True}}
