"""Where the build of a container image leaves what it made ready."""

import sys
from pathlib import Path

BUILT = Path(sys.prefix) / "share" / "refstack-client"
