"""Forms that were refused: the page shows them again, with what was typed and what is wrong."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus

from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.datastructures import FormData

from refstack_server.store.errors import (
    ConflictError,
    ForbiddenError,
    InvalidError,
    NotFoundError,
    RefusedError,
)
from refstack_server.store.text import has_hidden
from refstack_server.web import signin
from refstack_server.web.errors import refusal

REFUSED = (InvalidError, ConflictError, ForbiddenError, NotFoundError)
"""Refusals that a form shows beside a field; others are about the server or the session."""


@dataclass(frozen=True)
class FormState:
    """The state of the forms of a page: at most one was refused.

    :param name: the refused form, "" if none was
    :param wrong: the field that is wrong, and ``error``, what is wrong with it
    :param values: what was typed, by field
    """

    name: str = ""
    wrong: str = ""
    error: str = ""
    values: Mapping[str, str] = field(default_factory=dict)

    def value(self, form: str, name: str, default: str | None) -> str:
        """Return the value of a field: what was typed, otherwise the stored value."""
        typed = self.values.get(name) if form == self.name else None
        return (default or "") if typed is None else typed

    def error_of(self, form: str, name: str) -> str:
        """Return what is wrong with a field, "" for nothing."""
        return self.error if (form, name) == (self.name, self.wrong) else ""


NEW = FormState()
"""The state before a form was sent."""


def refused(
    error: RefusedError, form: Mapping[str, object], name: str, field_name: str
) -> FormState:
    """Return the state after a refusal.

    :param name: the name of the form
    :param field_name: the field that is wrong, if the error does not name another
    """
    named = error.detail.partition(":")[0].strip("/")
    typed = {key: value for key, value in form.items() if isinstance(value, str)}
    typed.pop(signin.CSRF, None)
    wrong = named if named in typed else field_name
    return FormState(name, wrong, error.message.removeprefix(f"{wrong}: "), typed)


def again(error: RefusedError, page: str) -> HTMLResponse:
    """Return a page with a refused form, with the status of the refusal."""
    return HTMLResponse(page, int(refusal(error).status))


def see(path: str) -> RedirectResponse:
    """Redirect the browser to a page after a change."""
    return RedirectResponse(path, HTTPStatus.SEE_OTHER)


def line(form: FormData, name: str, longest: int) -> str:
    """Return a field of one line.

    :raises InvalidError: the field is empty, too long, or has hidden characters
    """
    value = signin.text(form, name, longest)
    if has_hidden(value, ""):
        raise InvalidError(f"{name}: enter one line", f"/{name}")
    return value
