"""Receive, verify, publish: the collector of certifications."""

import logging

# It tells of itself already when it is imported.
logging.getLogger("alembic").setLevel(logging.WARNING)
