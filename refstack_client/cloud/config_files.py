"""Check the files that configure clouds before openstacksdk reads them.

openstacksdk leaves out a file that it cannot read or parse, and then knows no cloud. It checks no
value, though it brings a schema of a clouds.yaml.
"""

import difflib
import functools
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import jsonschema
import keystoneauth1.exceptions
import referencing
from jsonschema.exceptions import ValidationError
from keystoneauth1 import loading
from keystoneauth1.loading import BaseLoader
from openstack.config import loader

from capabilities import file_content
from refstack_client import yaml_text
from refstack_client.errors import CloudError
from refstack_client.yaml_text import InvalidYamlError

_MOST_BYTES = 1_000_000
_VARIABLES = (
    ("OS_CLIENT_CONFIG_FILE", loader.CONFIG_FILES),
    ("OS_CLIENT_SECURE_FILE", loader.SECURE_FILES),
)
"""The variable that names a file, and the places of openstacksdk without it."""

_OWN_KEYS: Mapping[str, Mapping[str, Any]] = {
    "tempest": {"type": "array", "items": {"type": "string"}},
    "guests": {"type": "boolean"},
}
"""The keys of a cloud that only this program reads, with the schema of their values."""

_FORM = "a clouds.yaml has clouds:, below it the name of each cloud, and below that auth: and …"
_TYPES = {
    "string": "text",
    "array": "a list",
    "object": "a mapping",
    "boolean": "true or false",
    "integer": "a number",
    "number": "a number",
}
_NOT_NULL = ("auth_type", "auth_url", "region_name")
"""Keys that openstacksdk cannot read without a value."""
_NEAR = 0.8
"""How alike a key and the one that was probably meant are, of 1."""


def check(cloud: str | None) -> None:
    """Check the clouds.yaml and secure.yaml that openstacksdk would read.

    :param cloud: the cloud whose entry is checked; None for none
    :raises CloudError: one cannot be read or parsed, or has another form
    """
    for variable, places in _VARIABLES:
        named = os.environ.get(variable)
        if found := next(filter(os.path.exists, (named or "", *places)), None):
            _check(Path(found), cloud)


def missing() -> str:
    """Return the clouds.yaml that a variable names and that does not exist; "" if it exists."""
    ((variable, _), _) = _VARIABLES
    named = os.environ.get(variable, "")
    return "" if os.path.exists(named) else named


def exists() -> bool:
    """Return whether there is a clouds.yaml."""
    ((variable, places), _) = _VARIABLES
    return any(map(os.path.exists, (os.environ.get(variable, ""), *places)))


def _check(path: Path, cloud: str | None) -> None:
    try:
        document = yaml_text.load(file_content.read(path, _MOST_BYTES).decode())
    except OSError as error:
        raise CloudError(
            f"cannot read {path}: {error.strerror}", hint="check the file and its permissions"
        ) from error
    except UnicodeDecodeError as error:
        raise CloudError(f"{path} is not in UTF-8", hint="save it in that encoding") from error
    except InvalidYamlError as error:
        raise CloudError(f"{path} is not valid YAML: {error}", hint="correct the file") from error
    for pointer, fault, hint in _faults(document, cloud):
        raise CloudError(f"{path}: {pointer or '/'} {fault}", hint=hint)


def _faults(document: Any, cloud: str | None) -> Iterator[tuple[str, str, str]]:
    """Yield a JSON pointer, what is wrong there, and what to do."""
    if not isinstance(document, dict):
        yield "", "must be a mapping", _FORM
        return
    clouds = document.get("clouds", {})
    if not isinstance(clouds, dict):
        yield "/clouds", "must be a mapping", _FORM
        return
    chosen = {name: entry for name, entry in clouds.items() if name == cloud}
    odd_names = _odd_keys(clouds, "/clouds", depth=1)
    for pointer, key in (*odd_names, *_odd_keys(chosen, "/clouds", depth=8)):
        yield pointer, f"has the key {key!r}, which is not text", "use quotes"
    for error in _schema().iter_errors({**document, "clouds": chosen}):
        if not _is_tolerated(error):
            pointer = "".join(f"/{part}" for part in error.absolute_path)
            yield pointer, *_described(error)
    for name, entry in chosen.items():
        yield from _misspelt(f"/clouds/{name}", entry)


def _odd_keys(value: object, pointer: str, depth: int) -> Iterator[tuple[str, object]]:
    """Yield the keys that are not text, each after the pointer of its mapping."""
    if isinstance(value, dict) and depth:
        for key, inner in value.items():
            if isinstance(key, str):
                yield from _odd_keys(inner, f"{pointer}/{key}", depth - 1)
            else:
                yield pointer, key


@functools.cache
def _document(name: str) -> Mapping[str, Any]:
    """Return a schema that openstacksdk brings."""
    path = Path(loader.__file__).with_name(name)
    document: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return document


def _schema() -> jsonschema.Draft202012Validator:
    """Return the schema of openstacksdk with the keys that only this program reads."""
    of_cloud, of_file = _document("schema.json"), _document("clouds-schema.json")
    registry = referencing.Registry[Any]().with_resources(
        (document["$id"], referencing.Resource.from_contents(document))
        for document in (of_cloud, of_file)
    )
    own = {"properties": {"clouds": {"additionalProperties": {"properties": _OWN_KEYS}}}}
    return jsonschema.Draft202012Validator(
        {"allOf": [{"$ref": of_file["$id"]}, own]}, registry=registry
    )


def _is_tolerated(error: ValidationError) -> bool:
    """Return whether openstacksdk accepts what its schema does not."""
    key = str(error.absolute_path[-1]) if error.absolute_path else ""
    if error.validator == "type":
        return _is_tolerated_type(key, error.instance, error.validator_value)
    return {
        "additionalProperties": True,
        "enum": isinstance(error.instance, str | list | None),
        "required": not key,
    }.get(str(error.validator), False)


def _is_tolerated_type(key: str, value: object, wanted: str | Sequence[str]) -> bool:
    if value is None:
        return wanted not in ("array", "object") and key not in _NOT_NULL
    is_word = isinstance(value, str) and value.lower() in ("true", "false")
    if key == "verify":  # text is the file of the certificate authorities
        return isinstance(value, str) and not is_word
    if wanted == "boolean":
        return is_word and key not in _OWN_KEYS
    if "number" in wanted:
        return isinstance(value, str) and value.isdecimal()
    return key.endswith("_api_version") and isinstance(value, int | float)


def _described(error: ValidationError) -> tuple[str, str]:
    """Return what is wrong with a value, without the value, and what to do."""
    if error.validator == "enum":
        return f"must be one of {', '.join(map(str, error.validator_value))}", "choose one of them"
    if error.validator != "type":
        return "is not valid", "correct it as the documentation of openstacksdk describes it"
    value = error.validator_value
    wanted = [value] if isinstance(value, str) else value
    names = dict.fromkeys(_TYPES[name] for name in wanted if name in _TYPES)
    is_simple = not isinstance(error.instance, list | dict)
    return (
        f"must be {' or '.join(names)}",
        "use quotes" if "string" in wanted and is_simple else "correct the value",
    )


def _misspelt(pointer: str, entry: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Yield the keys that are almost a known one. A plugin may know any other."""
    schema = _document("schema.json")["$defs"]
    of_auth = tuple(schema["auth"]["properties"])
    of_cloud = (*schema["cloud"]["properties"], "profile", "regions", *_OWN_KEYS, *of_auth)
    auth = entry.get("auth") or {}
    for keys, known, where in ((entry, of_cloud, pointer), (auth, of_auth, f"{pointer}/auth")):
        for key in keys:
            if key in known:
                continue
            near = difflib.get_close_matches(key, known, n=1, cutoff=_NEAR)
            if near and key not in _options_of_plugin(entry):
                yield where, f"has the unknown key {key}", f"did you mean {near[0]}?"


def _options_of_plugin(entry: Mapping[str, Any]) -> Sequence[str]:
    """Return the options that the authentication of a cloud takes."""
    try:
        plugin: BaseLoader[Any] = loading.get_plugin_loader(entry.get("auth_type") or "password")
    except keystoneauth1.exceptions.NoMatchingPlugin:
        return ()
    return [option.dest for option in plugin.get_options()]
