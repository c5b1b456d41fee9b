"""Images for tests: valid ones, and those that attack whoever decodes them."""

import io
import struct
import zlib

from PIL import Image, PngImagePlugin

CANARY = "canary-4f1c"
"""A text in metadata that no stored image has."""


def encoded(image: Image.Image, form: str = "PNG", **options: object) -> bytes:
    target = io.BytesIO()
    image.save(target, form, **options)
    return target.getvalue()


def logo(colour: str = "teal", size: tuple[int, int] = (96, 48), form: str = "PNG") -> bytes:
    """Return an image of one colour, with a transparent border."""
    image = Image.new("RGBA", size, (0, 0, 0, 0))
    image.paste(colour, (4, 4, size[0] - 4, size[1] - 4))
    return encoded(image, form, **({"lossless": True} if form == "WEBP" else {}))


def with_metadata(form: str) -> bytes:
    """Return an image with EXIF, XMP, a comment and bytes after its end, each with the canary."""
    exif = Image.Exif()
    exif[0x010E] = exif[0x8298] = f"{CANARY} <script>alert(1)</script>"
    options: dict[str, object] = {"exif": exif, "icc_profile": CANARY.encode()}
    if form == "PNG":
        info = PngImagePlugin.PngInfo()
        info.add_text("Comment", f"{CANARY} <script>alert(1)</script>")
        info.add_itxt("XML:com.adobe.xmp", CANARY)
        options["pnginfo"] = info
    else:
        options["xmp"] = CANARY.encode()
    return encoded(Image.new("RGB", (8, 8), "red"), form, **options) + CANARY.encode()


def chunk(kind: bytes, content: bytes) -> bytes:
    return (
        struct.pack(">I", len(content))
        + kind
        + content
        + struct.pack(">I", zlib.crc32(kind + content))
    )


def png(width: int, height: int, pixels: bytes, *more: bytes) -> bytes:
    """Return a PNG file that states a size, with pixels that may not be as many."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = (chunk(b"IHDR", header), *more, chunk(b"IDAT", zlib.compress(pixels, 9)))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts) + chunk(b"IEND", b"")


def animated(form: str) -> bytes:
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "green", "blue")]
    return encoded(frames[0], form, save_all=True, append_images=frames[1:])
