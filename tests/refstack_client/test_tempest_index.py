"""The list of the installed Tempest's tests, and how it is kept."""

import pytest

from refstack_client import tempest_index
from refstack_client.workspace import workspace


@pytest.fixture
def listings(monkeypatch) -> list[int]:
    """Count how often Tempest itself is asked."""
    asked: list[int] = []
    real = tempest_index._list

    def counted(space):
        asked.append(1)
        return real(space)

    monkeypatch.setattr(tempest_index, "_list", counted)
    return asked


def load(conf: str) -> tempest_index.Index:
    with workspace() as space:
        space.tempest_conf.write_text(conf)
        return tempest_index.load(space)


def test_tempest_is_asked_once_per_configuration(listings):
    first = load("[auth]\nadmin_password = one\n[service_available]\nswift = true\n")
    assert sum(map(len, first.by_name.values())) > 1500
    again = load("[auth]\nadmin_password = two\n[service_available]\nswift = true\n")
    assert again == first
    assert len(listings) == 1
    load("[validation]\nrun_validation = true\n")
    assert len(listings) == 2


def test_attributes_follow_the_configuration():
    name = "tempest.api.compute.volumes.test_attach_volume.AttachVolumeTestJSON."
    name += "test_attach_detach_volume"
    (without,) = load("[validation]\nrun_validation = false\n").by_name[name]
    (with_it,) = load("[validation]\nrun_validation = true\n").by_name[name]
    assert without.full != with_it.full
    assert without.idempotent_id == with_it.idempotent_id


def test_a_home_that_cannot_be_written_does_no_harm(monkeypatch, tmp_path):
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert load("").by_name
