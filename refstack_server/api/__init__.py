"""The HTTP API: version 1 for clients of RefStack, version 2 for bundles."""
