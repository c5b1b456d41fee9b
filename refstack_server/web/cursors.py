"""Cursors of lists: where a list continues, as a text that only this server can write and read.

The number in it is encrypted, since the numbers of results count those of other users too. The same
place has the same text, so that a page of a list has the same ETag as long as it does not change.
"""

import base64
import hmac

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from refstack_server.store.errors import InvalidError

_BYTES = 8


def write(secret: str, number: int) -> str:
    """Return the cursor for a place.

    :param secret: the secret of the server
    :param number: the number of the last row before the place
    """
    content = _cipher(secret).encrypt(number.to_bytes(_BYTES), None)
    return base64.urlsafe_b64encode(content).decode()


def read(secret: str, text: str) -> int:
    """Return the number of a cursor.

    :raises InvalidError: this server did not write it
    """
    try:
        content = base64.b64decode(text, altchars=b"-_", validate=True)
        return int.from_bytes(_cipher(secret).decrypt(content, None))
    except (InvalidTag, ValueError) as error:
        raise InvalidError(
            "Invalid query/after: must be a cursor from a page of this list; "
            "leave it out to begin with the newest result"
        ) from error


def _cipher(secret: str) -> AESSIV:
    return AESSIV(hmac.digest(secret.encode(), b"cursors of lists", "sha512"))
