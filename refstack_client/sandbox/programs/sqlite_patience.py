"""Let several threads write to one SQLite file, as they would to a database server.

SQLite gives a transaction that has read and now wants to write up at once ("database is locked")
where another one has committed since, whatever the timeout: what it has read is outdated. Services
that read before they write, as all do, need the lock before they read, or a fresh look. So the
BEGIN that the database layer sends is put off until the first statement that writes, which then
takes the write lock and waits for it; what is read before that is what is committed.
"""

import sqlite3
import sqlite3.dbapi2

_READS = ("SELECT", "PRAGMA", "EXPLAIN")


class _Cursor(sqlite3.Cursor):
    def _put_off(self, statement):
        """Return whether ``statement`` is a BEGIN, not to be sent yet; send it before a write."""
        word = statement.lstrip().split(None, 1)[0].upper().rstrip(";") if statement.strip() else ""
        connection = self.connection
        if word == "BEGIN":
            connection.begins = True
            return True
        if connection.begins and word not in _READS:
            connection.begins = False
            if not connection.in_transaction:
                super().execute("BEGIN IMMEDIATE")
        return False

    def execute(self, statement, *parameters):
        return self if self._put_off(statement) else super().execute(statement, *parameters)

    def executemany(self, statement, *parameters):
        self._put_off(statement)
        return super().executemany(statement, *parameters)


class _Connection(sqlite3.Connection):
    begins = False

    def cursor(self, factory=_Cursor):
        return super().cursor(factory)

    def commit(self):
        self.begins = False
        super().commit()

    def rollback(self):
        self.begins = False
        super().rollback()


def install():
    """Have every connection that is opened from now on be patient."""
    connect = sqlite3.connect

    def patient(*arguments, **options):
        options.setdefault("factory", _Connection)
        return connect(*arguments, **options)

    sqlite3.connect = sqlite3.dbapi2.connect = patient
