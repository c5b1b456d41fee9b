"""The HTTP API: version 1 for RefStack's clients, version 2 for bundles."""
