"""Test classes as the source of Tempest and its plugins defines them, read without importing it.

To import Tempest takes seconds. Parsing all of a module takes ten times as long as parsing it
without the bodies of its functions, of which only those that can skip a test matter here.
"""

import ast
import functools
import importlib.util
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

_SKIP = "skipException"
_FUNCTION = re.compile(
    r"^(?P<head>(?P<indent>\ *)def\ \w+\((?:[^()]|\([^()]*\))*\)[^\n]*:\n)"
    r"(?P<body>(?:(?:(?P=indent)\ .*)?\n)+)",
    re.MULTILINE | re.VERBOSE,
)


@dataclass(frozen=True)
class ClassSource:
    """The source of a test class and its bases.

    :param definitions: the class, then its bases in about the order in which Python searches them
    """

    definitions: tuple[ast.ClassDef, ...]

    def methods(self, name: str) -> Iterator[ast.FunctionDef]:
        """Yield the definitions of a method, the one that Python calls first."""
        for definition in self.definitions:
            for node in definition.body:
                if isinstance(node, ast.FunctionDef) and node.name == name:
                    yield node

    def value(self, attribute: str) -> ast.expr | None:
        """Return the value that is assigned to a class attribute; None if there is none."""
        for definition in self.definitions:
            for node in definition.body:
                if isinstance(node, ast.Assign) and attribute in map(ast.unparse, node.targets):
                    return node.value
        return None


@functools.cache
def find(class_name: str) -> ClassSource | None:
    """Return a class by its full name; None if the installed Tempest and plugins lack it."""
    definitions = tuple(_definitions(class_name, set()))
    return ClassSource(definitions) if definitions else None


def _definitions(name: str, seen: set[str]) -> Iterator[ast.ClassDef]:
    """Yield the definitions of a class and its bases that are not among ``seen``."""
    if name in seen:
        return
    seen.add(name)
    module, _, bare = name.rpartition(".")
    source = _source(module)
    if bare in source.classes:
        yield source.classes[bare]
        for base in source.classes[bare].bases:
            yield from _definitions(source.full_name(ast.unparse(base)), seen)
    elif bare in source.imported:
        yield from _definitions(source.imported[bare], seen)


@dataclass(frozen=True)
class _Source:
    """What a module defines and imports; nothing if it is not installed.

    :param imported: full names, by name here
    """

    module: str
    classes: Mapping[str, ast.ClassDef]
    imported: Mapping[str, str]

    def full_name(self, name: str) -> str:
        """Return the full name of what is called ``name`` here."""
        first, _, rest = name.rpartition(".")
        if not first:
            return self.imported.get(rest, f"{self.module}.{rest}")
        return f"{self.imported.get(first, first)}.{rest}"


@functools.cache
def _source(module: str) -> _Source:
    path = _path(module)
    parsed = _parse(path.read_text(encoding="utf-8")) if path else ast.Module([], [])
    classes = {node.name: node for node in parsed.body if isinstance(node, ast.ClassDef)}
    return _Source(module, classes, dict(_imports(module, parsed)))


def _path(module: str) -> Path | None:
    """Return the file of a module. Unlike ``find_spec`` of the module it imports no package."""
    package, *parts = module.split(".")
    spec = importlib.util.find_spec(package) if package else None
    for location in (spec and spec.submodule_search_locations) or ():
        directory = Path(location, *parts)
        for path in (directory.with_suffix(".py"), directory / "__init__.py"):
            if parts and path.is_file():
                return path
    return None


def _parse(text: str) -> ast.Module:
    """Parse a module without the bodies of functions that do not skip a test.

    Where text that looks like a function was cut out of a string, the rest is not valid: then all
    is parsed.
    """
    try:
        return ast.parse(_FUNCTION.sub(_shortened, text))
    except SyntaxError:
        return ast.parse(text)


def _shortened(function: re.Match[str]) -> str:
    if _SKIP in function["body"]:
        return function[0]
    return f"{function['head']}{function['indent']} ...\n"


def _imports(module: str, parsed: ast.Module) -> Iterator[tuple[str, str]]:
    for node in parsed.body:
        if isinstance(node, ast.ImportFrom):
            parent = module.rsplit(".", node.level)[0] if node.level else ""
            origin = ".".join(filter(None, (parent, node.module)))
            for alias in node.names:
                yield alias.asname or alias.name, f"{origin}.{alias.name}"
        elif isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.asname or alias.name, alias.name
