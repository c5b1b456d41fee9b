"""Names that look alike: other letters, other case, other space."""

import unicodedata

from confusable_homoglyphs import confusables


def skeletons(name: str) -> frozenset[str]:
    """Return texts of which names that look alike share one (compare Unicode's UTS 39).

    ``RedHaI`` looks like ``RedHal`` as it is written, and ``red hat`` like ``Red Hat`` apart from
    the case. Accents, space and punctuation do not count, since readers overlook them.
    """
    return frozenset(map(_skeleton, (name, name.casefold())))


def _skeleton(name: str) -> str:
    plain = "".join(map(_prototype, unicodedata.normalize("NFKD", name)))
    return "".join(filter(str.isalnum, plain)).casefold()


def _prototype(character: str) -> str:
    """Return the character that stands for all that look like it: ``l`` for ``1`` and ``I``."""
    alike = [entry["c"] for entry in confusables.confusables_data.get(character, ())]
    if len(alike) != 1:
        return character
    (other,) = alike
    has_others = len(confusables.confusables_data.get(other, ())) > 1
    return other if has_others else min(character, other)
