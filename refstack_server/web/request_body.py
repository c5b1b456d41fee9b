"""Strict readers of request bodies: an error names the place in the body."""

import json
from collections.abc import Mapping
from typing import Annotated, TypeVar
from urllib.parse import parse_qsl

import pydantic
import pydantic_core

from refstack_server.store.errors import InvalidError
from refstack_server.store.schema import LONGEST_DESCRIPTION
from refstack_server.store.text import has_hidden

NOT_THE_SCHEMA = "Request doesnt correspond to schema"
"""RefStack v1's title, as its clients know it."""

_LONGEST_PROPERTIES = 4096

Json = Mapping[str, object]
"""A JSON object whose keys the protocol leaves open."""


def _text(value: str) -> str:
    if has_hidden(value):
        raise ValueError("must not contain control or other hidden characters")
    return value


def _line(value: str) -> str:
    if has_hidden(value, ""):
        raise ValueError("must be one line without control or other hidden characters")
    return value


Text = Annotated[str, pydantic.AfterValidator(_text)]
"""A text that can be stored and shown (:func:`refstack_server.store.text.has_hidden`)."""
Line = Annotated[str, pydantic.AfterValidator(_line)]
"""A text of one line that can be stored and shown."""
Description = Annotated[Text, pydantic.Field(max_length=LONGEST_DESCRIPTION)]
"""A description of a vendor or a product; lists contain it."""


def _properties(value: dict[str, object]) -> dict[str, object]:
    text = json.dumps(value, ensure_ascii=False)
    if len(text) > _LONGEST_PROPERTIES or has_hidden(text):
        raise ValueError(f"must be at most {_LONGEST_PROPERTIES} characters of JSON")
    return value


Properties = Annotated[dict[str, object], pydantic.AfterValidator(_properties)]
"""Additional values of a vendor or a product, which the protocol leaves open."""
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
