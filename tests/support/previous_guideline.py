"""A small previous guideline and scores for tests of recommendations and proposals."""

from capabilities import programme
from capabilities.guideline import Capability, Component, Flag, Guideline, Platform, Status, Test
from scoring.committee import criteria

CURRENT = criteria.find("2016.08")
ONE = Test("m.C.one", "id-1")
FLAGGED = Test("m.C.two", "id-2", flag=Flag("[D401]"))
TESTS = {"old": (ONE,), "new": (ONE,), "bare": (), "flagged": (FLAGGED,), "gone": (ONE,)}
PREVIOUS = programme.find(
    Guideline(
        id="2019.11",
        schema="2.0",
        status="approved",
        releases=(),
        platforms=(Platform("Thing", "", ("c",)),),
        components={
            "c": Component(
                "c",
                {
                    Status.REQUIRED: ("old",),
                    Status.ADVISORY: ("new", "bare", "flagged"),
                    Status.DEPRECATED: ("gone",),
                },
            )
        },
        capabilities={name: Capability(name, tests=tests) for name, tests in TESTS.items()},
    ),
    "thing",
)
FULL = "[1,1,1] [1,1,1] [1,1,{sticky}] [1,1,1] [{gate}]"
