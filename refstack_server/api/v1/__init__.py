"""RefStack's REST API v1, for its existing clients."""
