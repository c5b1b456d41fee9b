"""Streams for tests."""

import io
from datetime import datetime

import subunit


class StreamWriter:
    """Writes subunit streams as Tempest's runner does."""

    def __init__(self) -> None:
        self.bytes = io.BytesIO()
        self._out = subunit.StreamResultToBytes(self.bytes)

    def test(
        self, test_id: str, status: str, at: datetime | None = None, **attachments: str
    ) -> "StreamWriter":
        self._out.status(test_id=test_id, test_status="inprogress", timestamp=at)
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
        self._out.status(test_id=test_id, test_status=status, timestamp=at)
        return self

    def start(self, test_id: str) -> "StreamWriter":
        self._out.status(test_id=test_id, test_status="inprogress")
        return self

    @property
    def content(self) -> bytes:
        return self.bytes.getvalue()
