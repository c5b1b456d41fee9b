"""The names of the shipped guidelines and of their programmes."""

import functools

from capabilities import catalogue
from capabilities import programme as programmes


def newest_first() -> list[str]:
    """Return the ids of the shipped guidelines, the newest first."""
    return sorted(catalogue.shipped(), reverse=True)


@functools.cache
def programme_keys() -> list[str]:
    """Return the keys of the programmes of all shipped guidelines."""
    return sorted(
        {
            programme.key
            for guideline_id in newest_first()
            for programme in programmes.programmes(catalogue.load(guideline_id)[0])
        }
    )
