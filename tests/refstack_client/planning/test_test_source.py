"""Test classes, read from source."""

import ast
import subprocess
import sys
from importlib import resources
from pathlib import Path

import pytest

from refstack_client.planning import test_source

TESTS = [
    path
    for folder in ("api", "scenario")
    for path in sorted(Path(str(resources.files("tempest") / folder)).rglob("*.py"))
]


def outline(module: ast.Module) -> list[object]:
    """Return everything of the classes of a module but the bodies of their methods."""
    found: list[object] = []
    for node in module.body:
        if isinstance(node, ast.ClassDef):
            found += [node.name, *map(ast.unparse, (*node.bases, *node.decorator_list))]
            for part in node.body:
                if isinstance(part, ast.FunctionDef):
                    found += [part.name, *map(ast.unparse, part.decorator_list)]
                    if "skipException" in ast.unparse(part):
                        found.append(ast.unparse(part))
                elif isinstance(part, ast.Assign):
                    found.append(ast.unparse(part))
    return found


def test_nothing_of_tempests_classes_is_lost_with_the_bodies_of_their_methods():
    assert len(TESTS) > 200
    for path in TESTS:
        text = path.read_text(encoding="utf-8")
        assert outline(test_source._parse(text)) == outline(ast.parse(text)), path


def test_a_module_of_which_too_much_would_be_cut_out_is_parsed_whole():
    text = 'TEXT = """\ndef f():\n    """ + "x"\n\n\nclass C:\n    kind = 1\n'
    assert [ast.unparse(node) for node in test_source._parse(text).body] == [
        ast.unparse(node) for node in ast.parse(text).body
    ]


PACKAGE = {
    "__init__.py": "",
    "base.py": "import testtools\nclass Base(testtools.TestCase):\n    credentials = ['a']\n",
    "again.py": "from .base import Base as Root\nfrom some_plugin import base\n",
    "deep/__init__.py": "",
    "deep/test_it.py": """
from some_plugin import again
from .. import base
from some_plugin.deep.test_it import Circle as Circle

class Mixin:
    mixed = credentials = ['b']
    def test(self): pass

class C(Mixin, again.Root):
    def test(self):
        raise self.skipException('own')

class D(base.Base): pass

class Circle(Circle): pass
""",
}


@pytest.fixture
def plugin(tmp_path, monkeypatch):
    for name, text in PACKAGE.items():
        path = tmp_path / "some_plugin" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield "some_plugin.deep.test_it"
    test_source.find.cache_clear()
    test_source._source.cache_clear()


def names(class_name: str) -> list[str]:
    found = test_source.find(class_name)
    return [definition.name for definition in found.definitions] if found else []


def test_bases_are_followed_through_modules_names_and_relative_imports(plugin):
    assert names(f"{plugin}.C") == ["C", "Mixin", "Base"]
    assert names(f"{plugin}.D") == ["D", "Base"]
    assert names(f"{plugin}.Circle") == ["Circle"]


def test_values_and_methods_are_those_that_python_would_find(plugin):
    found = test_source.find(f"{plugin}.C")
    assert found
    value = found.value("credentials")
    assert value
    assert ast.literal_eval(value) == ["b"]
    assert found.value("no_such_attribute") is None
    first, second = found.methods("test")
    assert "own" in ast.unparse(first)
    assert "own" not in ast.unparse(second)


@pytest.mark.parametrize(
    "name", ["", "C", "no_such_plugin.C", "some_plugin.gone.C", "sys.C", "tempest.api.compute.C"]
)
def test_what_is_not_installed_is_not_found(plugin, name):
    assert test_source.find(name) is None


def test_reading_a_class_does_not_import_tempest():
    code = (
        "import sys; from refstack_client.planning import test_source as s;"
        "assert s.find('tempest.api.compute.servers.test_servers.ServersTestJSON').definitions[2:];"
        "sys.exit('tempest' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
