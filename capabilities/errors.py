"""What can be wrong with a guideline or with what is asked of one."""


class GuidelineError(Exception):
    """A guideline file cannot be read: the message says where and why.

    :param message: file, position and reason, one sentence
    :param hint: what to do about it, one sentence
    """

    exit_code = 4

    def __init__(self, message: str, hint: str = ""):
        super().__init__(message)
        self.hint = hint


class UnknownNameError(GuidelineError):
    """There is no guideline or programme of that name."""
