"""Stand by for the death of a launcher: ``caretaker NAME OUTPUT``, its standard input held by it.

While the launcher lives it ends this process before it ends itself. When it dies instead, the
container has lost its standard input too and comes to an end; what it left is fetched, and it is
removed.
"""

import os
import sys
from pathlib import Path

from refstack_client.container import engine, launch


def main(name: str, output: str) -> int:
    os.read(sys.stdin.fileno(), 1)
    launch.settle(engine.connect(), name, Path(output))
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
