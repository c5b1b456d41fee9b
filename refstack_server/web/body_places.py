"""Places for bodies that arrive at the same time from callers without a token."""

import contextlib
from collections.abc import Iterator

from refstack_server.store.callers import Caller
from refstack_server.web.errors import BusyError


class BodyPlaces:
    """A number of places; callers with a token need none."""

    def __init__(self, most: int):
        self._free = most

    @contextlib.contextmanager
    def taken(self, caller: Caller) -> Iterator[None]:
        """Take a place while a body arrives.

        :raises BusyError: all places are taken
        """
        needed = 0 if caller.openid else 1
        if needed > self._free:
            raise BusyError(
                "the server receives too many uploads without a token; try again later, "
                "or send a token: Authorization: Bearer …"
            )
        self._free -= needed
        try:
            yield
        finally:
            self._free += needed
