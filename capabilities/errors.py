"""Define what can be wrong with a guideline, and the base of every error a user can act on."""


class ProblemError(Exception):
    """Report a problem that the user can do something about.

    :param message: what failed, with which file, option or endpoint, and why; one sentence
    :param hint: what to do about it, one sentence; empty where the message is enough
    """

    def __init__(self, message: str, hint: str = ""):
        """Keep the hint beside the message."""
        super().__init__(message)
        self.hint = hint


class GuidelineError(ProblemError):
    """Report that a guideline file cannot be read; the message gives the place and the reason."""


class UnknownNameError(GuidelineError):
    """Report that no guideline, programme or capability has that name."""
