"""Requests: middleware, dependencies, sign-in, observability."""
