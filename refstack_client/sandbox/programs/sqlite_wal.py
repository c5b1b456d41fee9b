"""Switch SQLite files to WAL mode, so that writers do not block readers: sqlite_wal.py FILE..."""

import sqlite3
import sys

for path in sys.argv[1:]:
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
