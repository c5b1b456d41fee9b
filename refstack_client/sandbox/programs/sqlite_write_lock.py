"""Let several threads write to one SQLite file, as they would to a database server.

A transaction that has read and then writes fails at once ("database is locked") if another one has
committed in between, whatever the timeout: its snapshot is outdated. OpenStack services read before
they write. This module delays the BEGIN of the database layer until the first statement that
writes, which then waits for the write lock. Statements before that one read committed data.
"""

import sqlite3
import sqlite3.dbapi2

_READS = ("SELECT", "PRAGMA", "EXPLAIN")


class _Cursor(sqlite3.Cursor):
    def _delay(self, statement):
        """Return whether ``statement`` is a BEGIN to delay; send a delayed one before a write."""
        word = statement.lstrip().split(None, 1)[0].upper().rstrip(";") if statement.strip() else ""
        connection = self.connection
        if word == "BEGIN":
            connection.has_delayed_begin = True
            return True
        if connection.has_delayed_begin and word not in _READS:
            connection.has_delayed_begin = False
            if not connection.in_transaction:
                super().execute("BEGIN IMMEDIATE")
        return False

    def execute(self, statement, *parameters):
        return self if self._delay(statement) else super().execute(statement, *parameters)

    def executemany(self, statement, *parameters):
        self._delay(statement)
        return super().executemany(statement, *parameters)


class _Connection(sqlite3.Connection):
    has_delayed_begin = False

    def cursor(self, factory=_Cursor):
        return super().cursor(factory)

    def commit(self):
        self.has_delayed_begin = False
        super().commit()

    def rollback(self):
        self.has_delayed_begin = False
        super().rollback()


def install():
    """Use the write lock in every connection that is opened from now on."""
    connect = sqlite3.connect

    def connect_with_lock(*arguments, **options):
        options.setdefault("factory", _Connection)
        return connect(*arguments, **options)

    sqlite3.connect = sqlite3.dbapi2.connect = connect_with_lock
