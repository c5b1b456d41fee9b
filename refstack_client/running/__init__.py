"""A plan to a run: certify, resume, merge, preflight, progress."""
