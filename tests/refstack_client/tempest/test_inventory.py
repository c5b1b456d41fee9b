"""The list of the installed Tempest's tests, and how it is kept."""

import pytest

from refstack_client.tempest import inventory
from refstack_client.tempest.listing import Listing
from refstack_client.tempest.workspace import workspace


@pytest.fixture
def listings(monkeypatch) -> list[int]:
    """Count how often Tempest itself is asked."""
    asked: list[int] = []
    real = inventory._list

    def counted(space):
        asked.append(1)
        return real(space)

    monkeypatch.setattr(inventory, "_list", counted)
    return asked


def load(conf: str, *, fresh: bool = False) -> Listing:
    with workspace() as space:
        space.tempest_conf.write_text(conf)
        return inventory.load(space, fresh=fresh)


def test_tempest_is_asked_once_and_what_is_assumed_is_said(listings):
    first = load("[auth]\nadmin_password = one\n[service_available]\nswift = true\n")
    assert sum(map(len, first.index.by_name.values())) > 1500
    again = load("[auth]\nadmin_password = two\n[service_available]\nswift = true\n")
    assert (again, first.assumed, len(listings)) == (first, False, 1)
    other = load("[service_available]\nswift = false\n")
    assert (other.index, other.assumed, len(listings)) == (first.index, True, 1)
    assert not load("[service_available]\nswift = false\n", fresh=True).assumed
    assert not load("[service_available]\nswift = false\n").assumed
    assert len(listings) == 2


def test_what_an_image_has_ready_is_taken(listings, monkeypatch, tmp_path):
    monkeypatch.setattr(inventory, "IMAGE_DATA", tmp_path / "built")
    inventory.prepare()
    prepared = len(listings)
    for value in ("true", "false"):
        assert load(f"[validation]\nrun_validation = {value}\n[x]\ny = z\n").assumed
    assert len(listings) == prepared == 2


def test_attributes_follow_the_configuration():
    name = "tempest.api.compute.volumes.test_attach_volume.AttachVolumeTestJSON."
    name += "test_attach_detach_volume"
    (without,) = load("[validation]\nrun_validation = false\n").index.by_name[name]
    (with_it,) = load("[validation]\nrun_validation = true\n").index.by_name[name]
    assert without.full != with_it.full
    assert without.idempotent_id == with_it.idempotent_id


def test_a_home_that_cannot_be_written_does_no_harm(monkeypatch, tmp_path):
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert load("").index.by_name


PLUGIN = """
import os
from tempest.test_discover import plugins

class Plugin(plugins.TempestPlugin):
    def load_tests(self):
        here = os.path.dirname(os.path.abspath(__file__))
        return os.path.join(here, "tests"), os.path.dirname(here)
    def register_opts(self, conf):
        pass
    def get_opt_lists(self):
        return []
"""
GOOD = "import unittest\nclass Good(unittest.TestCase):\n    def test_it(self): pass\n"


def test_a_plugin_with_a_module_that_cannot_be_imported_does_not_hide_the_others(
    tmp_path, monkeypatch
):
    tests = tmp_path / "halfplugin" / "tests"
    tests.mkdir(parents=True)
    (tests.parent / "__init__.py").touch()
    (tests.parent / "plugin.py").write_text(PLUGIN)
    (tests / "__init__.py").touch()
    (tests / "test_good.py").write_text(GOOD)
    (tests / "test_bad.py").write_text("import no_such_module_at_all\n")
    about = tmp_path / "halfplugin-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: halfplugin\nVersion: 1.0\n")
    entry = "[tempest.test_plugins]\nhalf = halfplugin.plugin:Plugin\n"
    (about / "entry_points.txt").write_text(entry)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with workspace() as space:
        listing = inventory.load(space)
    assert "halfplugin.tests.test_good.Good.test_it" in listing.index.by_name
    assert len(listing.index.by_name) > 1500
    assert listing.broken == {
        "halfplugin.tests.test_bad": "ModuleNotFoundError: No module named 'no_such_module_at_all'"
    }
