"""A checksum over what may not change in a guideline once it is approved: its tests and their ids.

Flags may be added later, descriptions reworded; tests stay (2017A D2). ``data/locked.json`` keeps
the checksums of the shipped guidelines.
"""

import hashlib

from capabilities.guideline import Guideline


def digest(guideline: Guideline) -> str:
    """Return the SHA-256 over every capability's test names and ids."""
    lines = sorted(
        f"{capability.id} {test.name} {test.idempotent_id or ''}"
        for capability in guideline.capabilities.values()
        for test in capability.tests
    )
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
