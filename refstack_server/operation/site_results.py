"""The files of the public results of an export, which workers render."""

from collections.abc import Mapping, Sequence

import sqlalchemy as sa
from sqlalchemy.orm import undefer

from refstack_server.operation import site_links
from refstack_server.pages import result_page
from refstack_server.pages import results as result_pages
from refstack_server.pages.visitor import ANONYMOUS
from refstack_server.publish import documents
from refstack_server.publish.stored_result import By, StoredResult, stored_result
from refstack_server.store.results import LISTED
from refstack_server.store.schema import Result
from refstack_server.web.dependencies import CallerContext

Files = Mapping[str, bytes]
"""The content of files by their paths in the export."""


def paths(result_id: str) -> tuple[str, str]:
    """Return the directories of a result's files, with a slash at the end."""
    return f"results/{result_id}/", f"v2/results/{result_id}/"


def is_of_result(url: str) -> bool:
    """Return whether :func:`render` writes the file of a URL."""
    return url.startswith(("/results/", "/v2/results/"))


def load(
    context: CallerContext, result_ids: Sequence[str]
) -> list[tuple[StoredResult, Mapping[str, object], str]]:
    """Return results for :func:`render`, as far as they are still public."""
    query = sa.select(Result).where(LISTED, Result.id.in_(result_ids))
    loaded = context.session.scalars(query.options(undefer(Result.outcomes))).all()
    data = context.settings.data
    return [
        (
            stored_result(data, result, sees_all=False),
            result_pages.about(context, ANONYMOUS, result),
            result_pages.picture(result),
        )
        for result in loaded
    ]


def render(
    result: StoredResult, about: Mapping[str, object], badge: str
) -> tuple[Files, Sequence[str]]:
    """Return the files of a result, all from one verdict, and the URLs of the links of its page."""
    here, api = paths(result.id)
    page = result_page.page(result, By(), about).decode()
    content, links = site_links.stand_alone(page, f"/results/{result.id}")
    files = {f"{here}index.html": content.encode(), f"{here}badge.svg": badge.encode()}
    if result.guideline:
        files[f"{here}tests.csv"] = result_page.tests_csv(result, By())
        files[f"{api}verdict.json"] = documents.verdict(result, By())
    return files, sorted({link for link in links if not is_of_result(link)})
