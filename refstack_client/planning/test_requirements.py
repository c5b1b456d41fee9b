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


def is_there(class_name: str) -> bool:
    """Return whether there is such a test class, in its module's own source."""
    module, _, bare = class_name.rpartition(".")
    source = _source(module)
    classes = (each for each in source.body if isinstance(each, ast.ClassDef)) if source else ()
    return any(each.name == bare for each in classes)


def has_two_projects(class_name: str) -> bool:
    """Return whether a test class holds users of two projects at a time.

    It does where nothing can be told of its credentials, such as of a class that is not there.
    """
    module, _, bare = class_name.rpartition(".")
    value = _credentials(module, bare)
    return not isinstance(value, ast.List) or any(
        isinstance(each, ast.Constant) and "alt" in str(each.value) for each in ast.walk(value)
    )


def _credentials(module: str, bare: str) -> ast.expr | None:
    """Return what ``credentials`` of a class is set to, by it or by the first base that does."""
    source = _source(module)
    if source is None:
        return None
    for each in source.body:
        if isinstance(each, ast.ClassDef) and each.name == bare:
            for statement in each.body:
                if isinstance(statement, ast.Assign) and _names(statement) == ["credentials"]:
                    return statement.value
            bases = (_place(source, module, base) for base in each.bases)
            found = (_credentials(*place) for place in bases if place)
            return next((value for value in found if value is not None), None)
    return None


def _names(statement: ast.Assign) -> list[str]:
    return [ast.unparse(each) for each in statement.targets]


def _place(source: ast.Module, module: str, base: ast.expr) -> tuple[str, str] | None:
    """Return in which module a base stands, and its name there."""
    first, _, rest = ast.unparse(base).rpartition(".")
    if not first:
        imported = _imported(source).get(rest)
        return imported or (module, rest)
    package = _imported(source).get(first)
    return (".".join(filter(None, package)), rest) if package else None


def _imported(source: ast.Module) -> dict[str, tuple[str, str]]:
    """Return by the name it has here from where something is imported, and its name there."""
    found = {}
    for each in source.body:
        if isinstance(each, ast.ImportFrom):
            for alias in each.names:
                found[alias.asname or alias.name] = (each.module or "", alias.name)
        elif isinstance(each, ast.Import):
            for alias in each.names:
                found[alias.asname or alias.name] = (alias.name, "")
    return found


@functools.cache
def _source(module: str) -> ast.Module | None:
    try:
        found = importlib.util.find_spec(module) if module else None
    except ModuleNotFoundError:
        found = None
    if found is None or not found.origin:
        return None
    return ast.parse(Path(found.origin).read_bytes())


@functools.cache
def _classes(module: str) -> Mapping[str, Mapping[str, tuple[Need, ...]]]:
    """Return by class and method what is asked, in a module of Tempest or a plugin."""
    source = _source(module)
    classes: dict[str, Mapping[str, tuple[Need, ...]]] = {}
    for each in source.body if source else ():
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
