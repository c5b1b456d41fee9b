"""Point Nova's cells at the databases below DIRECTORY: nova_cells.py DIRECTORY.

Nova records absolute paths, which are wrong where the databases were copied from another sandbox.
"""

import contextlib
import sqlite3
import sys

CELLS = {"cell0": "nova_cell0", "cell1": "nova"}


def main(directory):
    """Write the paths of the databases below ``directory``."""
    with contextlib.closing(sqlite3.connect(f"{directory}/nova_api.sqlite")) as database, database:
        for cell, name in CELLS.items():
            database.execute(
                "UPDATE cell_mappings SET database_connection = ? WHERE name = ?",
                (f"sqlite:///{directory}/{name}.sqlite?timeout=60", cell),
            )


if __name__ == "__main__":
    main(sys.argv[1])
