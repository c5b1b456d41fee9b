"""Pages of long lists."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated
from urllib.parse import urlencode

import sqlalchemy as sa
from fastapi import Query
from sqlalchemy.orm import Session

from refstack_server.store import results as stored_results
from refstack_server.store.schema import Result

PageNumber = Annotated[int, Query(ge=1, le=10**6)]
"""The number of a page, the first is 1."""
Order = Callable[[Session, Sequence[sa.ColumnElement[bool]], int, int], Iterable[Result]]


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


def results_page(
    session: Session,
    conditions: Sequence[sa.ColumnElement[bool]],
    size: int,
    page: int,
    *,
    order: Order = stored_results.newest,
    query: Mapping[str, object] | None = None,
) -> tuple[Paging, Iterable[Result]]:
    """Return the place in the list of the results that meet all conditions, and its results.

    :param order: returns a page of them in the order of the list
    :param query: the filters of the list
    """
    place = paging(stored_results.count(session, conditions), size, page, query)
    return place, order(session, conditions, size, place.page)
