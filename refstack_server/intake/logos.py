"""Logos of vendors: images from outside become PNG files that have nothing but the pixels."""

import io
import struct
import warnings
import zlib

from PIL import Image

from refstack_server.store.errors import InvalidError

MOST_BYTES = 64 * 1024
"""The largest logo, as it is sent and as PNG."""
MOST_PIXELS = 512
"""The largest width and height."""
_TOO_MANY = f"it is larger than {MOST_PIXELS}×{MOST_PIXELS} pixels"
_FORMATS = ("PNG", "WEBP")
_COLOURS = ("1", "L", "LA", "P", "RGB", "RGBA")
"""Modes of Pillow with 8 bits or less for each colour."""
_BOMBS = (Image.DecompressionBombError, Image.DecompressionBombWarning)
_DAMAGED = (
    EOFError,
    IndexError,
    OSError,
    OverflowError,
    SyntaxError,
    ValueError,
    struct.error,
    zlib.error,
)
"""What Pillow raises for files that are not valid images."""


def require_size(content: bytes) -> None:
    """Check the size of an image before it is decoded.

    :raises InvalidError: it is empty or too large
    """
    if not content or len(content) > MOST_BYTES:
        raise _refused(f"choose a PNG or WebP file of at most {MOST_BYTES >> 10} KiB")


def read(content: bytes) -> bytes:
    """Return an image as PNG, without metadata; a worker runs this, since decoding takes memory.

    :raises InvalidError: it is not one still image in PNG or WebP within the limits
    """
    require_size(content)
    try:
        pixels = _pixels(content)
    except _BOMBS as error:
        raise _refused(_TOO_MANY) from error
    except _DAMAGED as error:
        raise _refused("this is not a PNG or WebP image, or it is damaged") from error
    # An image made of the pixels alone has no colour profile, text, EXIF or XMP.
    clean = Image.frombytes(pixels.mode, pixels.size, pixels.tobytes())
    target = io.BytesIO()
    clean.save(target, "PNG", optimize=True)
    if target.tell() > MOST_BYTES:
        raise _refused(
            f"as PNG it has {target.tell()} bytes, more than {MOST_BYTES}: "
            "use a smaller width and height, or fewer colours"
        )
    return target.getvalue()


def _pixels(content: bytes) -> Image.Image:
    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        with Image.open(io.BytesIO(content), formats=_FORMATS) as image:
            _check(image)
            has_alpha = "transparency" in image.info or "A" in image.getbands()
            return image.convert("RGBA" if has_alpha else "RGB")


def _check(image: Image.Image) -> None:
    """Check what an image states about itself, before its pixels are decoded."""
    if max(image.size) > MOST_PIXELS:
        raise _refused(_TOO_MANY)
    if getattr(image, "n_frames", 1) > 1:
        raise _refused("it is animated")
    if image.mode not in _COLOURS:
        raise _refused(f"its pixels are of the type {image.mode}: use 8 bits for each colour")


def _refused(reason: str) -> InvalidError:
    return InvalidError(f"logo: {reason}", "/logo")
