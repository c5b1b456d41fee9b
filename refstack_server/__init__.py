"""The collector: receives, verifies and publishes results of certifications."""

import logging

# Alembic logs a line when it is imported.
logging.getLogger("alembic").setLevel(logging.WARNING)
