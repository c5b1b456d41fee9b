"""Run the ``refstack-client`` command, also as ``python -m refstack_client``.

Imports take longer than the reaction of a user. So that Ctrl-C never shows a traceback, this module
and the package import next to nothing before a signal is handled.
"""

import sys

try:
    import signal
except KeyboardInterrupt:
    sys.exit(130)


def main() -> int:
    """Run one command and return its exit code."""
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from refstack_client.cli.entry_point import guarded  # noqa: PLC0415

    return guarded(_run)


def _run() -> int:
    from refstack_client.cli import app  # noqa: PLC0415

    return app.main()


if __name__ == "__main__":
    sys.exit(main())
