"""What can be wrong with a worksheet or with what is asked of one."""


class ScoringError(Exception):
    """A worksheet cannot be used: the message says where (file, line, column) and why."""

    exit_code = 4

    def __init__(self, message: str, hint: str = ""):
        super().__init__(message)
        self.hint = hint
