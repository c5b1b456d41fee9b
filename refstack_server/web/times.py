"""Times as RefStack v1 writes them: UTC, to the second, without a zone."""

from datetime import datetime

from refstack_server.store.errors import InvalidError

FORMAT = "%Y-%m-%d %H:%M:%S"


def text(moment: datetime) -> str:
    """Return a time as text, such as ``2026-01-31 23:59:59``."""
    return moment.strftime(FORMAT)


def parse(value: str) -> datetime:
    """Return the time that a parameter states.

    :raises InvalidError: the value does not have the form ``YYYY-MM-DD HH:MM:SS``
    """
    try:
        return datetime.strptime(value, FORMAT)
    except ValueError as error:
        raise InvalidError(f"Invalid date format: {error}") from error
