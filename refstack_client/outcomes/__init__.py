"""A run to outcomes: run directory, subunit stream, causes, redaction."""
