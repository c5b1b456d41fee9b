"""The public results of an export, as far as they come from the database."""

from collections.abc import Mapping, Sequence

import sqlalchemy as sa
from sqlalchemy.orm import undefer

from refstack_server.pages import results as result_pages
from refstack_server.pages.reader import Visitor
from refstack_server.publish import marks
from refstack_server.publish.marks import Attested
from refstack_server.publish.stored_result import StoredResult, stored_result
from refstack_server.store.results import LISTED
from refstack_server.store.schema import Result
from refstack_server.web.dependencies import CallerContext


def load(
    context: CallerContext, result_ids: Sequence[str]
) -> list[tuple[StoredResult, Attested | None, Mapping[str, object], str]]:
    """Return results for :func:`.site_render.render`, as far as they are still public."""
    query = sa.select(Result).where(LISTED, Result.id.in_(result_ids))
    loaded = context.session.scalars(query.options(undefer(Result.outcomes))).all()
    data, anonymous = context.settings.data, Visitor(registry=context.settings.name)
    return [
        (
            stored_result(data, result, sees_all=False),
            marks.attested(result, sees_all=False),
            result_pages.about(context, anonymous, result),
            result_pages.picture(result),
        )
        for result in loaded
    ]
