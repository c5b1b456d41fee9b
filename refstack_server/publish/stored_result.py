"""A stored result as far as a reader may see it, and the verdicts on it.

It is independent of the database, so that a worker process can judge it.
"""

import functools
from dataclasses import dataclass
from pathlib import Path

import pydantic

from refstack_client.bundle.contents import Bundle
from refstack_client.outcomes.run_attempts import RunAttempt, most_retries, retries_of
from refstack_server.intake import verify_upload
from refstack_server.publish import public_text, public_view
from refstack_server.store import blobs, packed_outcomes
from refstack_server.store.errors import InvalidError
from refstack_server.store.packed_outcomes import Entry
from refstack_server.store.schema import Kind, Result
from scoring.conformance.verdict import Verdict, judge

_CACHED_BUNDLES = 8


class By(pydantic.BaseModel):
    """The guideline and programme to judge by; "" means those that the result was uploaded with."""

    guideline: str = ""
    programme: str = ""


@dataclass(frozen=True)
class StoredResult:
    """A result with its packed outcomes, and the data directory of the server.

    ``sees_all`` is true for the owner and the Foundation; other readers do not see URLs, hosts and
    ids of the cloud.
    """

    data: Path
    id: str
    kind: str
    sha256: str | None
    guideline: str | None
    programme: str | None
    outcomes: bytes
    sees_all: bool

    def judged_by(self, by: By) -> By:
        """Return the guideline and programme, "" where the result was uploaded without them."""
        return By(
            guideline=by.guideline or self.guideline or "",
            programme=by.programme or self.programme or "",
        )

    def verdict(self, by: By) -> Verdict:
        """Return the verdict on the result by a programme.

        :raises InvalidError: no programme is named and the result was uploaded without one
        :raises NotFoundError: there is no such programme
        """
        whole = self._verdict(self.judged_by(by))
        return whole if self.sees_all else public_view.verdict(whole)

    def _verdict(self, by: By) -> Verdict:
        if not by.guideline or not by.programme:
            raise InvalidError(
                "name a guideline and a programme: the result was uploaded without them"
            )
        is_own = (by.guideline, by.programme) == (self.guideline, self.programme)
        if is_own and self._is_bundle:
            return _of_bundle(self.data, str(self.sha256))[0]
        programme = verify_upload.shipped_programme(by.guideline, by.programme)
        starts = self.attempts()
        counted = most_retries(retries_of(starts) if starts else None)
        return judge(programme, packed_outcomes.outcomes_of(self.outcomes), max_retries=counted)

    @property
    def _is_bundle(self) -> bool:
        return self.kind == Kind.BUNDLE and self.sha256 is not None

    def attempts(self) -> tuple[RunAttempt, ...]:
        """Return the starts of a bundle's run, the oldest first; other formats have none."""
        return _of_bundle(self.data, str(self.sha256))[1] if self._is_bundle else ()

    def entries(self) -> tuple[Entry, ...]:
        """Return every outcome in order, as far as the reader may see names and reasons."""
        entries = packed_outcomes.unpack(self.outcomes)
        if self.sees_all:
            return entries
        shown = public_text.text
        return tuple(
            entry._replace(name=shown(entry.name), reason=shown(entry.reason)) for entry in entries
        )


def stored_result(data: Path, result: Result, *, sees_all: bool) -> StoredResult:
    """Return a result of the database; its outcomes are read."""
    return StoredResult(
        data,
        result.id,
        result.kind,
        result.sha256,
        result.guideline,
        result.programme,
        result.outcomes,
        sees_all,
    )


@functools.lru_cache(maxsize=_CACHED_BUNDLES)
def _of_bundle(data: Path, sha256: str) -> tuple[Verdict, tuple[RunAttempt, ...]]:
    """Return the verdict and the starts of the run from the bundle's own guideline and plan."""
    bundle = Bundle.unpack(blobs.read(data, sha256), sha256)
    return bundle.verdict, bundle.attempts
