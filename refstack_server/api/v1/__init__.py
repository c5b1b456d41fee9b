"""RefStack's REST API v1, as old clients speak it."""
