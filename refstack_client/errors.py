"""What can go wrong, each with the exit code and the hint that belong to it."""

EXIT_OK = 0
EXIT_NOT_CONFORMANT = 1
EXIT_USAGE = 2
EXIT_INCOMPLETE = 3
EXIT_BAD_INPUT = 4
EXIT_UNUSABLE = 5
EXIT_INTERRUPTED = 130


class ClientError(Exception):
    """A problem the user can do something about.

    :param message: what happened and to which file or endpoint, one sentence
    :param hint: what to do next, one sentence
    """

    exit_code = EXIT_UNUSABLE

    def __init__(self, message: str, hint: str = ""):
        super().__init__(message)
        self.hint = hint


class UsageError(ClientError):
    """The command was given arguments that do not fit together."""

    exit_code = EXIT_USAGE


class InputError(ClientError):
    """A file that was given cannot be used."""

    exit_code = EXIT_BAD_INPUT


class CloudError(ClientError):
    """The cloud, or the credentials for it, cannot be used."""


class MachineError(ClientError):
    """This machine lacks something: a program, a port, a writable directory."""
