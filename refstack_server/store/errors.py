"""Reasons why a request on the stored data is refused, independent of HTTP."""

_NO_SPACE = "the server has no space left for uploads; its operator must free disk space"


class RefusedError(Exception):
    """A request that the collector refuses.

    :param message: what is wrong, one sentence
    :param detail: where in the input it is wrong, or why; "" if the message is complete
    """

    def __init__(self, message: str, detail: str = ""):
        super().__init__(message)
        self.message = message
        self.detail = detail


class InvalidError(RefusedError):
    """The input is not valid."""


class UnauthenticatedError(RefusedError):
    """The caller must sign in, or sign in as another user."""


class ForbiddenError(RefusedError):
    """The caller lacks the rights for the request."""


class NotFoundError(RefusedError):
    """There is no object with this id or name."""


class ConflictError(RefusedError):
    """The object exists already, or belongs to another user."""


class NoSpaceError(RefusedError):
    """An upload would leave less than the reserve of the disk, or exceed a quota."""

    def __init__(self, message: str = _NO_SPACE, detail: str = ""):
        super().__init__(message, detail)
