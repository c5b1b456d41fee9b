"""The files of a result of an export, which workers render."""

from collections.abc import Mapping, Sequence

from refstack_server.operation import site_links
from refstack_server.pages import result_page
from refstack_server.publish import documents
from refstack_server.publish.marks import Attested
from refstack_server.publish.stored_result import By, StoredResult
from refstack_server.store import blobs

Files = Mapping[str, bytes]
"""The content of files by their paths in the export."""


def paths(result_id: str) -> tuple[str, str]:
    """Return the directories of a result's files, with a slash at the end."""
    return f"results/{result_id}/", f"v2/results/{result_id}/"


def is_of_result(url: str) -> bool:
    """Return whether :func:`render` writes the file of a URL."""
    return url.startswith(("/results/", "/v2/results/"))


def render(
    result: StoredResult, attested: Attested | None, about: Mapping[str, object], badge: str
) -> tuple[Files, Sequence[str]]:
    """Return the files of a result, all from one verdict, and the URLs of the links of its page."""
    here, api = paths(result.id)
    page = result_page.page(result, By(), attested, about).decode()
    content, links = site_links.stand_alone(page, f"/results/{result.id}")
    files = {f"{here}index.html": content.encode(), f"{here}badge.svg": badge.encode()}
    if result.guideline:
        files[f"{here}tests.csv"] = result_page.tests_csv(result, By())
        files[f"{api}verdict.json"] = documents.verdict(result, By())
    if sha256 := about["public_bundle"]:
        files[f"{here}bundle.zip"] = blobs.read(result.data, str(sha256))
    return files, sorted({link for link in links if not is_of_result(link)})
