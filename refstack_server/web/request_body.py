"""Strict readers of request bodies: an error names the place in the body."""

from collections.abc import Mapping
from typing import Annotated, TypeVar
from urllib.parse import parse_qsl

import pydantic
import pydantic_core

from refstack_server.store.errors import InvalidError

NOT_THE_SCHEMA = "Request doesnt correspond to schema"
"""RefStack v1's title, as its clients know it."""

Json = Mapping[str, object]
"""A JSON object whose keys the protocol leaves open."""
Text = Annotated[str, pydantic.Field(pattern=r"^[^\x00]*$")]
"""A text without U+0000, which databases cannot store."""
Model = TypeVar("Model", bound=pydantic.BaseModel)


class Document(pydantic.BaseModel):
    """A JSON object without additional keys; no value is converted to another type."""

    model_config = pydantic.ConfigDict(extra="forbid", strict=True)


def read(body: bytes, model: type[Model]) -> Model:
    """Return a JSON body as an object of ``model``.

    :raises InvalidError: the body is not JSON, or does not have the form of ``model``
    """
    return _validated(model, parse(body))


def parse(body: bytes) -> object:
    """Return the value of a JSON body.

    :raises InvalidError: the body is not JSON
    """
    try:
        return pydantic_core.from_json(body)
    except ValueError as error:
        raise InvalidError("Malformed request", str(error)) from error


def read_fields(body: bytes, content_type: str, query: str, model: type[Model]) -> Model:
    """Return a JSON body, or a form and the query, as an object of ``model``.

    A body without the content type of JSON is a form, and the query's fields are added to it.

    :raises InvalidError: as for :func:`read`
    """
    if content_type.partition(";")[0].strip() == "application/json":
        return _validated(model, parse(body or b"{}"))
    try:
        pairs = parse_qsl(f"{query}&{body.decode()}", keep_blank_values=True)
    except ValueError as error:
        raise InvalidError("Malformed request", str(error)) from error
    return _validated(model, dict(pairs))


def _validated(model: type[Model], value: object) -> Model:
    try:
        return model.model_validate(value)
    except pydantic.ValidationError as error:
        raise _refused(error) from error


def _refused(error: pydantic.ValidationError) -> InvalidError:
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    where = "".join(f"/{part}" for part in first["loc"])
    return InvalidError(NOT_THE_SCHEMA, f"{where or '/'}: {first['msg']}")


def schema_of(model: type[pydantic.BaseModel]) -> dict[str, object]:
    """Return the OpenAPI description of a body that :func:`read` reads."""
    content = {"application/json": {"schema": model.model_json_schema()}}
    return {"requestBody": {"content": content, "required": True}}
