"""What tests require of a cloud before they run, read from Tempest's source."""

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
class Requirement:
    """A requirement of a test.

    :param service: as Tempest names it; ``VALIDATION`` for a guest to which a test logs in
    :param extension: the extension of the service that must be enabled
    """

    service: str
    extension: str = ""


def of(names: Iterable[str]) -> Mapping[Requirement, tuple[str, ...]]:
    """Return the tests among ``names`` that skip if a requirement is not met, by requirement.

    What a class inherits from a class in another module is not seen.
    """
    found: dict[Requirement, list[str]] = {}
    for name in names:
        class_name, _, method = name.rpartition(".")
        module, _, bare = class_name.rpartition(".")
        required = _classes(module).get(bare, {})
        of_class, of_method = required.get(_SKIP_CHECKS, ()), required.get(method, ())
        for requirement in dict.fromkeys((*of_class, *of_method)):
            found.setdefault(requirement, []).append(name)
    return {requirement: tuple(tests) for requirement, tests in found.items()}


def exists(class_name: str) -> bool:
    """Return whether a test class exists in the source of its module."""
    module, _, bare = class_name.rpartition(".")
    source = _source(module)
    return source is not None and any(
        isinstance(node, ast.ClassDef) and node.name == bare for node in source.body
    )


def has_two_projects(class_name: str) -> bool:
    """Return whether a test class borrows users of two projects at a time.

    True too if its credentials are not known, as for a class that does not exist.
    """
    module, _, bare = class_name.rpartition(".")
    value = _credentials(module, bare)
    return not isinstance(value, ast.List) or any(
        isinstance(node, ast.Constant) and "alt" in str(node.value) for node in ast.walk(value)
    )


def _credentials(module: str, bare: str) -> ast.expr | None:
    """Return the value of ``credentials`` of a class, its own or that of the first base."""
    source = _source(module)
    if source is None:
        return None
    for node in source.body:
        if isinstance(node, ast.ClassDef) and node.name == bare:
            for statement in node.body:
                if isinstance(statement, ast.Assign) and _names(statement) == ["credentials"]:
                    return statement.value
            bases = (_origin(source, module, base) for base in node.bases)
            found = (_credentials(*origin) for origin in bases if origin)
            return next((value for value in found if value is not None), None)
    return None


def _names(statement: ast.Assign) -> list[str]:
    return [ast.unparse(target) for target in statement.targets]


def _origin(source: ast.Module, module: str, base: ast.expr) -> tuple[str, str] | None:
    """Return the module that defines a base class, and its name there."""
    first, _, rest = ast.unparse(base).rpartition(".")
    if not first:
        imported = _imported(source).get(rest)
        return imported or (module, rest)
    package = _imported(source).get(first)
    return (".".join(filter(None, package)), rest) if package else None


def _imported(source: ast.Module) -> dict[str, tuple[str, str]]:
    """Return what a module imports: the module it comes from and its name there, by name here."""
    found = {}
    for node in source.body:
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                found[alias.asname or alias.name] = (node.module or "", alias.name)
        elif isinstance(node, ast.Import):
            for alias in node.names:
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
def _classes(module: str) -> Mapping[str, Mapping[str, tuple[Requirement, ...]]]:
    """Return the requirements by class and method, of a module of Tempest or a plugin."""
    source = _source(module)
    classes: dict[str, Mapping[str, tuple[Requirement, ...]]] = {}
    for node in source.body if source else ():
        if isinstance(node, ast.ClassDef):
            inherited: dict[str, tuple[Requirement, ...]] = {}
            for base in node.bases:
                inherited |= classes.get(ast.unparse(base), {})
            classes[node.name] = {**inherited, **_methods(node)}
    return classes


def _methods(of_class: ast.ClassDef) -> dict[str, tuple[Requirement, ...]]:
    return {
        method.name: tuple(
            _required_by(method.body)
            if method.name == _SKIP_CHECKS
            else _required_by(node for node in method.decorator_list if _name(node) in _DECORATORS)
        )
        for method in of_class.body
        if isinstance(method, ast.FunctionDef)
    }


def _required_by(nodes: Iterable[ast.AST]) -> Iterator[Requirement]:
    for node in (inner for outer in nodes for inner in ast.walk(outer)):
        if isinstance(node, ast.Call) and _name(node) in _EXTENSION_CALLS:
            arguments: dict[str | None, ast.expr] = dict(
                zip(("extension", "service"), node.args, strict=False)
            )
            arguments |= {keyword.arg: keyword.value for keyword in node.keywords}
            service, extension = arguments.get("service"), arguments.get("extension")
            if isinstance(service, ast.Constant) and isinstance(extension, ast.Constant):
                yield Requirement(str(service.value), str(extension.value))
        elif isinstance(node, ast.Attribute) and node.attr == "run_validation":
            yield Requirement(VALIDATION)


def _name(node: ast.expr) -> str:
    """Return the name of what is called or named, without its module."""
    return ast.unparse(node.func if isinstance(node, ast.Call) else node).rpartition(".")[2]
