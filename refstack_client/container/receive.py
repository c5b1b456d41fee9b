"""Keep the entry point that containers of version 0.1 were built with."""

import sys

from refstack_client.cli.container_entrypoint import main

if __name__ == "__main__":
    sys.exit(main())
