"""What tests ask of a cloud before they run, as Tempest's own source says."""

import ast
import functools
import importlib.util
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

VALIDATION = "validation"
_EXTENSION_CALLS = {"requires_ext", "is_extension_enabled"}
_DECORATORS = {"requires_ext", "skipUnless"}
_SKIP_CHECKS = "skip_checks"


@dataclass(frozen=True, order=True)
class Need:
    """An extension of a service, as Tempest names both; for ``VALIDATION`` a guest to log in to."""

    service: str
    extension: str = ""


def of(names: Iterable[str]) -> Mapping[Need, tuple[str, ...]]:
    """Return by need the tests, of those called ``names``, that skip where it is not met.

    What a class takes over from a class of another module is not seen.
    """
    found: dict[Need, list[str]] = {}
    for name in names:
        class_name, _, method = name.rpartition(".")
        module, _, bare = class_name.rpartition(".")
        known = _classes(module)
        asked = known.get(bare, {})
        for need in dict.fromkeys((*asked.get(_SKIP_CHECKS, ()), *asked.get(method, ()))):
            found.setdefault(need, []).append(name)
    return {need: tuple(tests) for need, tests in found.items()}


@functools.cache
def _classes(module: str) -> Mapping[str, Mapping[str, tuple[Need, ...]]]:
    """Return by class and method what is asked, in a module of Tempest or a plugin."""
    try:
        found = importlib.util.find_spec(module) if module else None
    except ModuleNotFoundError:
        found = None
    if found is None or not found.origin:
        return {}
    classes: dict[str, Mapping[str, tuple[Need, ...]]] = {}
    for each in ast.parse(Path(found.origin).read_bytes()).body:
        if isinstance(each, ast.ClassDef):
            inherited: dict[str, tuple[Need, ...]] = {}
            for base in each.bases:
                inherited |= classes.get(ast.unparse(base), {})
            classes[each.name] = {**inherited, **_methods(each)}
    return classes


def _methods(of_class: ast.ClassDef) -> dict[str, tuple[Need, ...]]:
    return {
        each.name: tuple(
            _asked_by(each.body)
            if each.name == _SKIP_CHECKS
            else _asked_by(node for node in each.decorator_list if _name(node) in _DECORATORS)
        )
        for each in of_class.body
        if isinstance(each, ast.FunctionDef)
    }


def _asked_by(nodes: Iterable[ast.AST]) -> Iterator[Need]:
    for node in (inner for each in nodes for inner in ast.walk(each)):
        if isinstance(node, ast.Call) and _name(node) in _EXTENSION_CALLS:
            given: dict[str | None, ast.expr] = dict(
                zip(("extension", "service"), node.args, strict=False)
            )
            given |= {each.arg: each.value for each in node.keywords}
            service, extension = given.get("service"), given.get("extension")
            if isinstance(service, ast.Constant) and isinstance(extension, ast.Constant):
                yield Need(str(service.value), str(extension.value))
        elif isinstance(node, ast.Attribute) and node.attr == "run_validation":
            yield Need(VALIDATION)


def _name(node: ast.expr) -> str:
    """Return what is called, or named, without where it is from."""
    return ast.unparse(node.func if isinstance(node, ast.Call) else node).rpartition(".")[2]
