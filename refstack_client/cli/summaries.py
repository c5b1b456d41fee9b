"""Read the summary of each command from its source, so that listing commands imports none."""

import ast
import importlib.util
from collections.abc import Iterable

from cliff.commandmanager import EntryPointT


def of(entries: Iterable[EntryPointT]) -> dict[str, str]:
    """Return the summary of each command by the value of its entry point, ``MODULE:CLASS``.

    :returns: the first line of the docstring of the command's class, without its full stop
    """
    docstrings: dict[str, dict[str, str]] = {}
    summaries = {}
    for entry in entries:
        module, _, name = entry.value.partition(":")
        if module not in docstrings:
            docstrings[module] = _docstrings(module)
        summaries[entry.value] = docstrings[module].get(name, "").partition("\n")[0].rstrip(".")
    return summaries


def _docstrings(module: str) -> dict[str, str]:
    """Return the docstring of each class of a module that has one."""
    spec = importlib.util.find_spec(module)
    if not spec or not spec.origin:
        return {}
    with open(spec.origin, encoding="utf-8") as source:
        tree = ast.parse(source.read())
    return {
        node.name: docstring
        for node in tree.body
        if isinstance(node, ast.ClassDef) and (docstring := ast.get_docstring(node))
    }
