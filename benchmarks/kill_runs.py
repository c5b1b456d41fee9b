"""Repeat the kill test many times: kill certifications at random moments and resume them.

python benchmarks/kill_runs.py [KILLS] [SEED]
"""

import os
import subprocess
import sys
import time


def main(kills: str = "500", seed: str = "") -> int:
    """Run the test and return its exit code."""
    chosen = seed or str(int(time.time()))
    print(f"{kills} kills, seed {chosen}")
    return subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "tests/cloud/test_kills.py",
            "-k",
            "fifty",
        ],
        env={**os.environ, "REFSTACK_FAULT_KILLS": kills, "REFSTACK_FAULT_SEED": chosen},
        check=False,
    ).returncode


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
