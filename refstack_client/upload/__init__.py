"""A bundle or a stream to a collector."""
