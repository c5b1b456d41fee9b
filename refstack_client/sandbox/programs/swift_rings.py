"""Write the three rings of Swift for one device on loopback.

Runs in the virtual environment of the services: swift_rings.py DIRECTORY HOST NAME=PORT...
"""

import os
import sys

from swift.common.ring import RingBuilder

PARTITION_POWER = 4
REPLICAS = 1
MIN_PART_HOURS = 0


def main():
    """Write a ring for each server of the command line."""
    directory, host, *servers = sys.argv[1:]
    for server in servers:
        name, port = server.split("=")
        builder = RingBuilder(PARTITION_POWER, REPLICAS, MIN_PART_HOURS)
        device = {"region": 1, "zone": 1, "ip": host, "port": int(port), "device": "d1"}
        builder.add_dev({**device, "weight": 1.0})
        builder.rebalance()
        path = os.path.join(directory, f"{name}.ring.gz")
        builder.get_ring().save(path + ".new")
        os.replace(path + ".new", path)


if __name__ == "__main__":
    main()
