"""Receive, verify, publish: the collector of certifications."""
