"""Pages of long lists."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated
from urllib.parse import urlencode

from fastapi import Query

PageNumber = Annotated[int, Query(ge=1, le=10**6)]
"""The number of a page, the first is 1."""


@dataclass(frozen=True)
class Paging:
    """The place in a list: one page of ``pages``; ``query`` has the filters of the list."""

    page: int
    pages: int
    total: int
    query: Mapping[str, object] = field(default_factory=dict)

    def link(self, page: int) -> str:
        """Return the query of another page of the same list."""
        return urlencode({**self.query, "page": page})


def paging(total: int, size: int, page: int, query: Mapping[str, object] | None = None) -> Paging:
    """Return the place in a list of ``total`` entries; beyond the end it is the last page.

    :param query: the filters of the list
    """
    pages = max(1, math.ceil(total / size))
    return Paging(min(page, pages), pages, total, query or {})
