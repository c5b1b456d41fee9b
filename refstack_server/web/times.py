"""Times as RefStack v1 writes them: UTC, to the second, without a zone."""

from datetime import datetime

from refstack_server.web.errors import bad_request

FORMAT = "%Y-%m-%d %H:%M:%S"


def text(moment: datetime) -> str:
    return moment.strftime(FORMAT)


def parse(value: str) -> datetime:
    """Return the moment a parameter names.

    :raises RefusedError: 400
    """
    try:
        return datetime.strptime(value, FORMAT)
    except ValueError as error:
        raise bad_request(f"Invalid date format: {error}") from error
