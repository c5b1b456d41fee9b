"""Rendering of pages from templates."""

from refstack_server.pages.reader import ANONYMOUS, Visitor
from scoring.formats import html_templates


def render(name: str, here: str = "", /, visitor: Visitor = ANONYMOUS, **values: object) -> str:
    """Return a page from a template; all values are escaped.

    :param name: the file name of the template
    :param here: the path of the navigation's current entry, "" for none
    :param visitor: the reader, whom the header of the page names
    """
    template = html_templates.template("refstack_server.pages", name, "refstack_client.report")
    return template.render(here=here, visitor=visitor, **values)
