"""Wait for the death of a launcher: ``watchdog NAME OUTPUT``; it holds this standard input open.

A launcher ends this process before it ends itself. When it dies instead, the container has lost its
standard input too and ends. This process then fetches its results and removes it.
"""

import os
import sys
from pathlib import Path

from refstack_client.container import engine, launch


def main(name: str, output: str) -> int:
    """Wait until standard input is closed, then fetch the results of the container ``name``."""
    os.read(sys.stdin.fileno(), 1)
    launch.settle(engine.connect(), name, Path(output))
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
