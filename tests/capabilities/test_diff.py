"""What changed between guidelines."""

from dataclasses import replace

from capabilities import catalogue, diff, programme
from capabilities.guideline import Capability, Component, Flag, Guideline, Platform, Status, Test


def thing(lists: dict[Status, tuple[str, ...]], tests: tuple[Test, ...]):
    names = {name for ids in lists.values() for name in ids}
    guideline = Guideline(
        id="x",
        schema="2.0",
        status="",
        releases=(),
        platforms=(Platform("Thing", "", ("c",)),),
        components={"c": Component("c", lists)},
        capabilities={name: Capability(name, tests=tests) for name in names},
    )
    return programme.find(guideline, "thing")


def test_every_kind_of_change_is_found():
    one, two, three = (Test(f"m.C.{n}", f"id-{n}") for n in ("one", "two", "three"))
    before = thing({Status.REQUIRED: ("kept", "gone"), Status.ADVISORY: ("up",)}, (one, two))
    flagged = replace(one, name="m.C.uno", flag=Flag("[D401]"))
    after = thing({Status.REQUIRED: ("kept", "up"), Status.ADVISORY: ("new",)}, (flagged, three))
    changes = [
        (change.capability, change.kind, change.what) for change in diff.between(before, after)
    ]
    assert changes[:3] == [
        ("gone", "left", "was required"),
        ("up", "status", "advisory -> required"),
        ("new", "entered", "advisory"),
    ]
    assert [change for change in changes if change[0] == "kept"] == [
        ("kept", "test renamed", "m.C.one -> m.C.uno"),
        ("kept", "test flagged", "m.C.uno"),
        ("kept", "test removed", "m.C.two"),
        ("kept", "test added", "m.C.three"),
    ]


def test_2020_06_changed_nothing_of_2019_11():
    pair = (programme.find(catalogue.load(n)[0], "platform") for n in ("2019.11", "2020.06"))
    assert diff.between(*pair) == ()


def test_guidelines_are_compared_by_the_programmes_that_both_have():
    before, after, dns = (catalogue.load(n)[0] for n in ("2018.02", "2018.11", "dns.2018.11"))
    changes = diff.between_guidelines(before, after)
    assert list(changes) == ["compute", "storage"]  # platform combines them
    for key, found in changes.items():
        pair = (programme.find(guideline, key) for guideline in (before, after))
        assert found == diff.between(*pair)
    of_status = [change for change in changes["storage"] if not change.is_of_test]
    assert [change.what for change in of_status] == [*["advisory -> required"] * 2, "advisory"]
    assert diff.between_guidelines(after, dns) == {}
