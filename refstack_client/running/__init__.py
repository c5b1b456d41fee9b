"""A plan to a run: preflight, certify, resume, merge, clean up."""
