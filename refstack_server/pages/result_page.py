"""The pages of a result and of two results compared, which workers render."""

from collections.abc import Mapping, Sequence

from refstack_client.outcomes.run_attempts import retries_of
from refstack_client.report import comparison
from refstack_client.report import html as report_html
from refstack_client.report import table as report_table
from refstack_client.report import text as report_text
from refstack_client.report.comparison import Change
from refstack_server.pages.reader import Visitor
from refstack_server.pages.template import render
from refstack_server.publish import documents
from refstack_server.publish.stored_result import By, StoredResult


def page(result: StoredResult, by: By, about: Mapping[str, object]) -> bytes:
    """Return the page of a result: the verdict first, all reasons, all capabilities.

    A result without a guideline has no verdict; its page lists the passed tests.

    :param about: further variables of the template ``about.html``
    """
    chosen = result.judged_by(by)
    about = {**about, "result": result, "judged_by": chosen, "sees_all": result.sees_all}
    if not chosen.guideline:
        return _render("passes.html", about, names=documents.passed(result))
    attempts = result.attempts()
    report = {
        **report_html.context(result.verdict(by), retries_of(attempts) if attempts else None),
        "attempts": attempts if result.sees_all else (),
    }
    return _render("result.html", about, **report)


def _render(name: str, about: Mapping[str, object], **values: object) -> bytes:
    return render(name, **values, **about).encode()  # type: ignore[arg-type]


def tests_csv(result: StoredResult, by: By) -> bytes:
    """Return the outcome of every test of a result as a table for spreadsheets."""
    return report_table.csv_text(result.verdict(by)).encode()


def compared(
    first: StoredResult, second: StoredResult, by: By, times: Sequence[str], visitor: Visitor
) -> bytes:
    """Return the page that shows how the outcome of each required test changed.

    :param times: when each of the two was uploaded
    """
    chosen = first.judged_by(by)
    results = (first, second)
    verdicts = [result.verdict(chosen) for result in results]
    tests = comparison.compare(*verdicts)
    page = render(
        "compared.html",
        visitor=visitor,
        sides=list(zip(results, times, map(report_text.headline, verdicts), strict=True)),
        changes=[test for test in tests if test.change is not Change.SAME],
        total=len(tests),
    )
    return page.encode()
