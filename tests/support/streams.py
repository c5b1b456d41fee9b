"""Streams for tests."""

import io
from datetime import UTC, datetime, timedelta

import subunit

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)


class StreamWriter:
    """Writes subunit streams as Tempest's runner does, an event each second.

    :param timed: whether events have a time where none is given
    """

    def __init__(self, *, timed: bool = True) -> None:
        self.bytes = io.BytesIO()
        self._out = subunit.StreamResultToBytes(self.bytes)
        self._now = BEGAN if timed else None

    def _time(self, at: datetime | None) -> datetime | None:
        if self._now:
            self._now += timedelta(seconds=1)
        return at or self._now

    def test(
        self, test_id: str, status: str, at: datetime | None = None, **attachments: str
    ) -> "StreamWriter":
        self._out.status(test_id=test_id, test_status="inprogress", timestamp=self._time(at))
        return self.end(test_id, status, at, **attachments)

    def end(
        self, test_id: str, status: str, at: datetime | None = None, **attachments: str
    ) -> "StreamWriter":
        for name, text in attachments.items():
            self._out.status(
                test_id=test_id,
                file_name=name,
                file_bytes=text.encode(),
                mime_type="text/plain;charset=utf8",
                eof=True,
            )
        self._out.status(test_id=test_id, test_status=status, timestamp=self._time(at))
        return self

    def start(self, test_id: str) -> "StreamWriter":
        self._out.status(test_id=test_id, test_status="inprogress", timestamp=self._time(None))
        return self

    @property
    def content(self) -> bytes:
        return self.bytes.getvalue()
