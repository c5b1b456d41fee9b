"""Names that look alike: other letters, other case, other space."""

import unicodedata

from confusable_homoglyphs import confusables


def skeleton(name: str) -> str:
    """Return a text that is the same for names that look alike (compare Unicode's UTS 39).

    Accents, case, space and punctuation do not count, since readers overlook them.
    """
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
