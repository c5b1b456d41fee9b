"""Define what can go wrong in the client; exit codes are in ``refstack_client.cli.exit_codes``."""

from capabilities.errors import ProblemError


class ClientError(ProblemError):
    """Report a problem with what the client works on: options, files, the cloud or the machine."""


class UsageError(ClientError):
    """Report arguments of a command that are impossible or do not fit together."""


class InputError(ClientError):
    """Report a file that cannot be used."""


class CloudError(ClientError):
    """Report that the cloud, or the credentials for it, cannot be used."""


class MachineError(ClientError):
    """Report what this machine lacks: a program, a port, a writable directory."""
