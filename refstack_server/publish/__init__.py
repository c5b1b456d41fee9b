"""Verdicts and what the public sees of them."""
