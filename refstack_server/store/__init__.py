"""The database and the files: schema, results, vendors, keys, audit log."""
