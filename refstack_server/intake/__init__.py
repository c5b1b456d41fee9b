"""Receive, verify and store uploads."""
