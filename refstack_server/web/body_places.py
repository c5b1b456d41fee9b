"""Places for bodies that arrive, or are judged, at the same time."""

import contextlib
from collections import Counter
from collections.abc import Iterator

from refstack_server.store.callers import Caller
from refstack_server.web.errors import BusyError


class BodyPlaces:
    """A number of places for each user, and one for all callers without a token together."""

    def __init__(self, most_of_a_user: int, most_anonymous: int):
        self._most_of_a_user, self._most_anonymous = most_of_a_user, most_anonymous
        self._taken: Counter[str] = Counter()

    @contextlib.contextmanager
    def taken(self, caller: Caller) -> Iterator[None]:
        """Take a place while a body arrives.

        :raises BusyError: all places are taken
        """
        user = caller.openid
        if self._taken[user] >= (self._most_of_a_user if user else self._most_anonymous):
            raise BusyError(
                "the server receives too many uploads of this user; try again later"
                if user
                else "the server receives too many uploads without a token; try again later, "
                "or send a token: Authorization: Bearer …"
            )
        self._taken[user] += 1
        try:
            yield
        finally:
            self._taken[user] -= 1
            self._taken += Counter()  # Without users who have none.
