"""A verdict to a signed bundle: pack, sign, verify, open."""
