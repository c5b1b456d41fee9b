"""What tests require of a cloud before they run, read from Tempest's source.

A test skips, and so does not pass, unless options of tempest.conf are set that describe the cloud:
a service is available, an extension is enabled, a feature works. The conditions stand in decorators
and in fixtures of the test's class and its bases. A condition that cannot be read, such as one on
what a service responds, requires nothing here.
"""

import ast
import functools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from capabilities.guideline import Test
from capabilities.tempest_id import class_of
from refstack_client.planning import test_source
from refstack_client.planning.test_source import ClassSource

SERVICE = "service_available"
"""Section of tempest.conf with an option for each project, such as ``nova``."""
_FIXTURES = ("skip_checks", "setup_credentials", "setup_clients", "resource_setup", "setUp")
_EXTENSIONS = {
    "identity": ("identity-feature-enabled", "api_extensions"),
    "network": ("network-feature-enabled", "api_extensions"),
    "object": ("object-storage-feature-enabled", "discoverable_apis"),
    "volume": ("volume-feature-enabled", "api_extensions"),
}
"""Options that list the enabled extensions, by the service of ``is_extension_enabled``."""
_PROJECTS = {
    "compute": "nova",
    "dashboard": "horizon",
    "identity": "keystone",
    "image": "glance",
    "network": "neutron",
    "object_storage": "swift",
    "volume": "cinder",
}
"""Projects by the names of services in decorators."""
_PROJECTS_OF_MODULES = {
    **{f"tempest.api.{name}.": (project,) for name, project in _PROJECTS.items()},
    "tempest.scenario.": ("glance", "neutron", "nova"),
    "barbican_tempest_plugin.": ("barbican",),
    "cinder_tempest_plugin.": ("cinder",),
    "designate_tempest_plugin.": ("designate",),
    "heat_tempest_plugin.": ("heat",),
    "ironic_tempest_plugin.": ("ironic",),
    "keystone_tempest_plugin.": ("keystone",),
    "magnum_tempest_plugin.": ("magnum",),
    "manila_tempest_tests.": ("manila",),
    "neutron_tempest_plugin.": ("neutron",),
    "octavia_tempest_plugin.": ("octavia",),
    "trove_tempest_plugin.": ("trove",),
}
"""Projects by the start of the name of a test that is not installed."""


@dataclass(frozen=True, order=True)
class Requirement:
    """An option of tempest.conf that must be set, or a test skips.

    :param item: what the option, a list, must contain; "" if it need only be set
    """

    section: str
    option: str
    item: str = ""


GUESTS = Requirement("validation", "run_validation")
"""A test with this requirement logs in to a guest."""
TENANTS_OF_TEMPEST = Requirement("auth", "use_dynamic_credentials")
"""A test with this requirement skips unless Tempest itself creates its tenants."""


def of(tests: Iterable[Test]) -> Mapping[Requirement, tuple[str, ...]]:
    """Return the names of the tests that skip if a requirement is not met, by requirement."""
    found: dict[Requirement, list[str]] = {}
    for test in tests:
        for requirement in of_test(test):
            found.setdefault(requirement, []).append(test.name)
    return {requirement: tuple(names) for requirement, names in found.items()}


def of_test(test: Test) -> tuple[Requirement, ...]:
    """Return what a test requires, by the first of its names that is installed.

    Of a test that is not installed only the services are known.
    """
    for name in test.names:
        if test_source.find(class_of(name)):
            return _of_name(name)
    starts = (start for start in _PROJECTS_OF_MODULES if test.name.startswith(start))
    projects = _PROJECTS_OF_MODULES.get(next(starts, ""), ())
    return tuple(Requirement(SERVICE, project) for project in projects)


def requiring(requirement: Requirement, tests: Iterable[Test]) -> tuple[Test, ...]:
    """Return the tests that have a requirement."""
    return tuple(test for test in tests if requirement in of_test(test))


def projects(test: Test) -> tuple[str, ...]:
    """Return the projects whose services a test requires (``nova``, …)."""
    return tuple(
        requirement.option for requirement in of_test(test) if requirement.section == SERVICE
    )


@functools.cache
def _of_name(name: str) -> tuple[Requirement, ...]:
    class_name, _, method = name.rpartition(".")
    test_class = test_source.find(class_name)
    found: dict[Requirement, None] = {}
    if test_class:
        reader = _Reader(test_class)
        found |= dict.fromkeys(_of_class(class_name))
        for definition in list(test_class.methods(method))[:1]:
            found |= dict.fromkeys(reader.decorators(definition))
            found |= dict.fromkeys(reader.body(definition.body))
    return tuple(found)


@functools.cache
def _of_class(class_name: str) -> tuple[Requirement, ...]:
    test_class = test_source.find(class_name)
    found: list[Requirement] = []
    if test_class:
        reader = _Reader(test_class)
        for definition in test_class.definitions:
            found += reader.decorators(definition)
        for name in _FIXTURES:
            for method in test_class.methods(name):
                found += reader.body(method.body)
    return tuple(found)


@dataclass(frozen=True)
class _Reader:
    """Reads the conditions under which tests of a class skip."""

    test_class: ClassSource

    def decorators(self, definition: ast.ClassDef | ast.FunctionDef) -> Iterator[Requirement]:
        """Yield what must be met, or a decorator skips the test or class."""
        for node in definition.decorator_list:
            if not isinstance(node, ast.Call):
                continue
            match _name(node.func):
                case "skipUnless":
                    yield from self.if_true(node.args[0])
                case "skipIf":
                    yield from self.if_false(node.args[0])
                case "requires_ext":
                    yield from _extension(node)
                case "services":
                    yield from filter(None, map(_service, node.args))

    def body(self, statements: Iterable[ast.stmt]) -> Iterator[Requirement]:
        """Yield what must be met, or one of the statements raises an exception."""
        for statement in statements:
            if isinstance(statement, ast.If) and any(
                isinstance(inner, ast.Raise) for inner in statement.body
            ):
                yield from self.if_false(statement.test)

    def if_true(self, condition: ast.expr) -> Iterator[Requirement]:
        """Yield what must be met for a condition to be true."""
        match condition:
            case ast.BoolOp(op=ast.And(), values=values):
                for value in values:
                    yield from self.if_true(value)
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                yield from self.if_false(operand)
            case ast.Attribute(value=ast.Attribute(value=conf, attr=section), attr=option):
                if _name(conf) == "CONF":
                    yield Requirement(_section(section), option)
            case ast.Subscript(value=ast.Call(func=function), slice=index):
                if _name(function) == "get_service_list":
                    yield from filter(None, [_service(index)])
            case ast.Call(func=function):
                if _name(function) == "is_extension_enabled":
                    yield from _extension(condition)

    def if_false(self, condition: ast.expr) -> Iterator[Requirement]:
        """Yield what must be met for a condition to be false."""
        match condition:
            case ast.BoolOp(op=ast.Or(), values=values):
                for value in values:
                    yield from self.if_false(value)
            case ast.BoolOp(op=ast.And(), values=values):
                uncertain = [value for value in values if not self.is_true(value)]
                if len(uncertain) == 1:
                    yield from self.if_false(uncertain[0])
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                yield from self.if_true(operand)

    def is_true(self, condition: ast.expr) -> bool:
        """Return whether a condition on attributes of the class is true."""
        match condition:
            case ast.Attribute(value=ast.Name(id="cls" | "self"), attr=attribute):
                value = self.test_class.value(attribute)
                return isinstance(value, ast.Constant) and bool(value.value)
            case ast.Compare(
                left=ast.Attribute(value=ast.Name(id="cls" | "self"), attr=attribute),
                ops=[ast.Eq()],
                comparators=[ast.Constant(value=wanted)],
            ):
                value = self.test_class.value(attribute)
                return isinstance(value, ast.Constant) and value.value == wanted
        return False


def _name(node: ast.expr) -> str:
    """Return a name without its module."""
    return ast.unparse(node).rpartition(".")[2]


def _section(attribute: str) -> str:
    """Return the section of tempest.conf that is an attribute of ``CONF``."""
    dashed = attribute.endswith("_feature_enabled") or attribute == "object_storage"
    return attribute.replace("_", "-") if dashed else attribute


def _service(name: ast.expr) -> Requirement | None:
    if isinstance(name, ast.Constant) and str(name.value) in _PROJECTS:
        return Requirement(SERVICE, _PROJECTS[str(name.value)])
    return None


def _extension(call: ast.Call) -> Iterator[Requirement]:
    arguments = dict(zip(("extension", "service"), call.args, strict=False))
    arguments |= {keyword.arg: keyword.value for keyword in call.keywords if keyword.arg}
    match arguments:
        case {
            "extension": ast.Constant(value=extension),
            "service": ast.Constant(value=service),
        } if service in _EXTENSIONS:
            yield Requirement(*_EXTENSIONS[service], str(extension))
