"""The services of a cloud that a programme tests."""

from collections.abc import Mapping

from capabilities.guideline import Status
from capabilities.programme import Programme
from refstack_client.planning import test_requirements

TO_BOOT = {"nova": ("glance", "neutron")}
"""Projects whose services the tests of a project use as well: a server needs an image and a network
to boot."""
_NOT_CHECKED = {"", "keystone", "horizon"}
"""A capability of a flat list has no project, every test signs in, and the service catalog does not
list dashboards."""


def tests_by_project(programme: Programme) -> Mapping[str, tuple[str, ...]]:
    """Return the names of the wanted tests for which a service is needed, by its project.

    A service is needed for the tests of the required capabilities of its project, and for those
    that skip without it. Keystone, which every test needs, is left out.
    """
    found: dict[str, dict[str, None]] = {}
    for part in programme.with_bases():
        for capability in part.capabilities(Status.REQUIRED):
            for test in capability.tests:
                if test.flag is None:
                    found.setdefault(capability.project, {})[test.name] = None
    for test in programme.wanted_tests():
        for project in test_requirements.projects(test):
            found.setdefault(project, {})[test.name] = None
    for project in set(TO_BOOT) & set(found):
        for other in TO_BOOT[project]:
            found.setdefault(other, {})
    return {
        project: tuple(tests) for project, tests in found.items() if project not in _NOT_CHECKED
    }
