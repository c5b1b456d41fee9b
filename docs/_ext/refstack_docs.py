"""Directives that make parts of the pages from the code, so that they cannot be out of date."""

import fnmatch
import importlib
import inspect
import pkgutil
import tempfile
import tomllib
from argparse import ArgumentParser
from collections.abc import Iterable, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

from cliff.display import DisplayCommandBase
from cliff.sphinxext import AutoprogramCliffDirective
from docutils import nodes
from docutils.parsers.rst import Directive
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util import logging

from refstack_client.sandbox.shapes import SHAPES

LOG = logging.getLogger(__name__)

ROOT = Path(__file__).parent.parent.parent
_COMMANDS = "refstack_client.commands"
_FORMATTING = (
    "--format",
    "--column",
    "--quote",
    "--noindent",
    "--max-width",
    "--fit-width",
    "--print-empty",
    "--prefix",
    "--sort-column",
    "--sort-ascending",
    "--sort-descending",
)


class _Listed(Directive):
    """Puts a table into the page, whose cells are reStructuredText."""

    def table(self, widths: Sequence[int], rows: Iterable[Sequence[str]]) -> list[nodes.Node]:
        """Return a list-table of ``rows``, of which the first is the heading."""
        lines = [
            ".. list-table::",
            "   :header-rows: 1",
            f"   :widths: {' '.join(map(str, widths))}",
        ]
        lines.append("")
        for row in rows:
            for place, cell in enumerate(row):
                lines.append(f"   {'* - ' if place == 0 else '  - '}{cell}")
        node = nodes.container()
        self.state.nested_parse(StringList(lines, source="generated"), 0, node)
        return node.children


class ImportLayers(_Listed):
    """List the layers of a package, top to bottom, as import-linter enforces them.

    The argument is the package; without one, the packages themselves are listed.
    """

    optional_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Return a table: a layer a row, with the first sentence of each room's docstring."""
        package = self.arguments[0] if self.arguments else ""
        rows = [("Subpackage" if package else "Package", "Contents")]
        for layer in _layers(package):
            names = [name.strip("() ") for name in layer.replace("|", ":").split(":")]
            paths = [f"{package}.{name}" if package else name for name in names]
            rows.append(
                (
                    ", ".join(f"``{name}``" for name in names),
                    " ".join(_sentence(path) for path in paths),
                )
            )
        return self.table((25, 75), rows)


def _layers(package: str) -> list[str]:
    document = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    for contract in document["tool"]["importlinter"]["contracts"]:
        if contract["type"] == "layers" and contract.get("containers", [""]) == [package]:
            return list(contract["layers"])
    # No order is enforced: the rooms by name.
    found = pkgutil.iter_modules(importlib.import_module(package).__path__)
    return [module.name for module in found if module.ispkg]


def _sentence(path: str) -> str:
    """Return the first sentence of a module's docstring."""
    text = inspect.getdoc(importlib.import_module(path)) or ""
    first = " ".join(text.partition("\n\n")[0].split())
    return first if first.endswith(".") else f"{first}."


class Command(AutoprogramCliffDirective):
    """Describe one command as cliff does, with the values of defaults in the help of options."""

    def _drop_ignored_options(self, parser: ArgumentParser, ignored_opts: list[str]) -> None:
        super()._drop_ignored_options(parser, ignored_opts)
        for action in parser._actions:
            if action.help:
                action.help %= {**vars(action), "prog": parser.prog}


class Commands(Directive):
    """Describe the commands whose names match the patterns in the content, one in a line.

    The options with which cliff formats any listing are left out: a page of its own has them.
    """

    has_content = True

    def run(self) -> list[nodes.Node]:
        """Return a section for each command, in the order of their names."""
        shown = self.state.document.settings.env.shown_commands
        names = _command_names()
        container = nodes.container()
        for pattern in self.content:
            found = [name for name in names if fnmatch.fnmatch(name, pattern)]
            if not found:
                raise self.error(f"no command is called {pattern}")
            for name in found:
                shown.add(name)
                self.state.nested_parse(_described_command(name), 0, container, match_titles=True)
        return container.children


def _command_names() -> list[str]:
    entries = metadata.entry_points(group=_COMMANDS)
    return sorted(entry.name.replace("_", " ") for entry in entries)


def _described_command(name: str) -> StringList:
    (entry,) = metadata.entry_points(group=_COMMANDS, name=name.replace(" ", "_"))
    lines = [f".. command:: {_COMMANDS}", f"   :command: {name}"]
    if issubclass(entry.load(), DisplayCommandBase):
        lines.append(f"   :ignored: {','.join(_FORMATTING)}")
    return StringList([*lines, ""], source=f"generated for {name}")


def _check_all_shown(app: Sphinx, env: BuildEnvironment) -> None:
    """Warn of each command that no page describes."""
    for name in sorted(set(_command_names()) - env.shown_commands):
        LOG.warning("no page of the command reference describes the command %s", name)


class HttpRoutes(_Listed):
    """List the requests that the server answers, below the prefix given as argument."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Return a table: a request a row, with the first line of its description."""
        rows = [("Request", "What it does")]
        for path, operations in _openapi()["paths"].items():
            if path.startswith(self.arguments[0]):
                rows += [
                    (f"``{method.upper()} {path}``", _described(operation))
                    for method, operation in operations.items()
                ]
        return self.table((45, 55), rows)


def _openapi() -> dict[str, Any]:
    # Not an import of this module: pages that list no request do not need the server's libraries.
    import sqlalchemy as sa  # noqa: PLC0415

    from refstack_server import app, settings  # noqa: PLC0415

    with tempfile.TemporaryDirectory() as data:
        made = settings.Settings(data=Path(data), public_url="https://refstack.example.org")
        return app.create(made, sa.create_engine(made.database_url)).openapi()


def _described(operation: dict[str, Any]) -> str:
    text = operation.get("description") or operation.get("summary", "")
    return " ".join(text.partition("\n\n")[0].split())


class Shapes(_Listed):
    """List the shapes of a sandbox."""

    def run(self) -> list[nodes.Node]:
        """Return a table: a shape a row, with its summary and the service that it needs."""
        rows = [("Shape", "What clients see", "Needs")]
        for name, shape in SHAPES.items():
            summary = f"{shape.summary[0].upper()}{shape.summary[1:]}".replace("*", r"\*")
            rows.append((f"``{name}``", summary, ", ".join(shape.services)))
        return self.table((22, 66, 12), rows)


class NoReleaseNotes(Directive):
    """Take the place of reno's directive where the source is not a git checkout."""

    def run(self) -> list[nodes.Node]:
        """Return a sentence."""
        text = "The release notes are in the directory releasenotes of the source."
        return [nodes.paragraph(text, text)]


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directives."""
    app.add_directive("import-layers", ImportLayers)
    app.add_directive("http-routes", HttpRoutes)
    app.add_directive("shapes", Shapes)
    app.add_directive("command", Command)
    app.add_directive("commands", Commands)
    if "reno.sphinxext" not in app.config.extensions:
        app.add_directive("release-notes", NoReleaseNotes)
    app.connect("builder-inited", lambda app: setattr(app.env, "shown_commands", set()))
    app.connect("env-check-consistency", _check_all_shown)
    # Every page is read in every build: what is generated depends on the code, not on the page.
    app.connect("env-get-outdated", lambda app, env, *changes: list(env.found_docs))
    return {"parallel_read_safe": False}
