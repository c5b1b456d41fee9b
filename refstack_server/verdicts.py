"""Verdicts on stored results, made again whenever they are asked for, by the client's code."""

import functools
from pathlib import Path

import pydantic

from refstack_client import archive, bundle
from refstack_server import kept, outcomes, received
from refstack_server.errors import bad_request
from refstack_server.settings import Settings
from refstack_server.tables import Kind, Result
from scoring.verdict import Verdict, judge

_REMEMBERED = 64


class By(pydantic.BaseModel):
    """By which programme of which guideline; without, by those a result was sent with."""

    guideline: str = ""
    programme: str = ""

    def or_of(self, result: Result) -> "By":
        """Return the same with what is not named as the result was sent with."""
        return By(
            guideline=self.guideline or result.guideline or "",
            programme=self.programme or result.programme or "",
        )


def of(settings: Settings, result: Result, by: By) -> Verdict:
    """Return the verdict on a result by a programme.

    :raises RefusedError: 404, there is no such programme; 400, none is named and it has none
    """
    whole = by.or_of(result)
    guideline, name = whole.guideline, whole.programme
    if not guideline or not name:
        raise bad_request("name a guideline and a programme: this result came without")
    own = (guideline, name) == (result.guideline, result.programme)
    if own and result.kind == Kind.BUNDLE and result.sha256:
        return _of_bundle(settings.data, result.sha256)
    entries = outcomes.unpack(result.outcomes)
    return judge(received.shipped_programme(guideline, name), outcomes.judged(entries))


@functools.lru_cache(maxsize=_REMEMBERED)
def _of_bundle(data: Path, sha256: str) -> Verdict:
    """Return the verdict as it follows from the bundle, its own guideline and plan included."""
    members = archive.unpack(kept.read(data, sha256), sha256)
    return bundle.recompute(members)[1]
