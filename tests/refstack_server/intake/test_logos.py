"""Logos from outside: what becomes of them, and which are refused."""

import io
import os
import random
import struct
import zlib

import pytest
from PIL import Image
from support import images

from refstack_server.intake import logos
from refstack_server.store.errors import InvalidError

SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
BOMB = zlib.compress(bytes(40 * 1024 * 1024), 9)
"""40 MiB of zeros, in as many bytes as a logo may have."""
NOISE = random.Random(17).randbytes(512 * 512 * 3)


def opened(content: bytes) -> Image.Image:
    return Image.open(io.BytesIO(content), formats=["PNG"])


@pytest.mark.parametrize("form", ["PNG", "WEBP"])
def test_a_logo_becomes_a_png_with_the_same_pixels(form):
    read = logos.read(images.logo("teal", (96, 48), form))
    image = opened(read)
    assert (image.format, image.mode, image.size) == ("PNG", "RGBA", (96, 48))
    assert image.getpixel((0, 0))[3] == 0
    assert image.getpixel((48, 24)) == (0, 128, 128, 255)
    assert logos.read(read) == read


@pytest.mark.parametrize("form", ["PNG", "WEBP"])
def test_metadata_and_what_follows_the_image_is_dropped(form):
    content = images.with_metadata(form)
    assert images.CANARY.encode() in content
    read = logos.read(content)
    assert images.CANARY.encode() not in read
    assert b"script" not in read
    kinds, place = [], 8
    while place < len(read):
        (size,) = struct.unpack(">I", read[place : place + 4])
        kinds.append(read[place + 4 : place + 8])
        place += size + 12
    assert set(kinds) == {b"IHDR", b"IDAT", b"IEND"}
    assert opened(read).getexif() == {}


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA"])
def test_every_usual_type_of_pixels_is_accepted(mode):
    image = Image.new("RGB", (16, 16), "white").convert(mode)
    assert opened(logos.read(images.encoded(image))).size == (16, 16)


def test_the_transparent_colour_of_a_palette_stays_transparent():
    image = Image.new("P", (8, 8), 0)
    image.putpalette([255, 0, 0, 0, 255, 0])
    read = opened(logos.read(images.encoded(image, transparency=0)))
    assert read.getpixel((0, 0))[3] == 0


def jpeg(mode: str) -> bytes:
    return images.encoded(Image.new(mode, (8, 8)), "JPEG")


REFUSED = {
    "nothing": (b"", "choose a PNG or WebP file"),
    "text": (b"logo", "not a PNG or WebP image"),
    "SVG": (SVG, "not a PNG or WebP image"),
    "HTML": (b"<!doctype html><script>alert(1)</script>", "not a PNG or WebP image"),
    "JPEG": (jpeg("RGB"), "not a PNG or WebP image"),
    "CMYK": (jpeg("CMYK"), "not a PNG or WebP image"),
    "GIF": (images.encoded(Image.new("P", (8, 8)), "GIF"), "not a PNG or WebP image"),
    "ICO": (images.encoded(Image.new("RGBA", (16, 16)), "ICO"), "not a PNG or WebP image"),
    "GIF with the name of PNG after it": (b"GIF89a" + images.logo(), "not a PNG or WebP image"),
    "polyglot that begins with HTML": (SVG + images.logo(), "not a PNG or WebP image"),
    "too large": (images.logo() + bytes(logos.MOST_BYTES), "at most 64 KiB"),
    "too wide": (images.logo(size=(513, 8)), "larger than 512×512 pixels"),
    "too high": (images.logo(size=(8, 513), form="WEBP"), "larger than 512×512 pixels"),
    "bomb of pixels": (images.png(60_000, 60_000, b""), "larger than 512×512 pixels"),
    "bomb of fewer pixels": (images.png(10_000, 10_000, b""), "larger than 512×512 pixels"),
    "bomb beyond Pillow's limit": (images.png(2**31 - 1, 2**31 - 1, b""), "larger than"),
    "empty": (images.png(0, 8, b""), "not a PNG or WebP image"),
    "bomb of a text": (
        images.png(8, 8, b"", images.chunk(b"zTXt", b"a\0\0" + BOMB)),
        "not a PNG or WebP image",
    ),
    "bomb of a profile": (
        images.png(8, 8, b"", images.chunk(b"iCCP", b"a\0\0" + BOMB)),
        "not a PNG or WebP image",
    ),
    "animated PNG": (images.animated("PNG"), "animated"),
    "animated WebP": (images.animated("WEBP"), "animated"),
    "16 bits": (images.encoded(Image.new("I;16", (8, 8))), "of the type I;16"),
    "noise": (images.encoded(Image.frombytes("RGB", (512, 512), NOISE), "WEBP", quality=1), "as"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_small_still_image_is_refused(name):
    content, message = REFUSED[name]
    with pytest.raises(InvalidError, match=r"^logo: ") as error:
        logos.read(content)
    assert message in error.value.message


@pytest.mark.parametrize("form", ["PNG", "WEBP"])
def test_a_truncated_image_is_refused(form):
    content = images.encoded(Image.frombytes("RGB", (64, 64), NOISE[: 64 * 64 * 3]), form)
    for size in range(0, len(content) * 9 // 10, max(1, len(content) // 100)):
        with pytest.raises(InvalidError):
            logos.read(content[:size])


@pytest.mark.parametrize("form", ["PNG", "WEBP"])
def test_a_damaged_image_is_refused_or_read_as_a_small_png(form):
    """Whatever is changed in a file, nothing but a refusal or a small PNG comes of it."""
    chance = random.Random(int(os.environ.get("SEED", "17")))
    content = bytearray(images.with_metadata(form))
    for _ in range(3000):
        changed = bytearray(content)
        for _ in range(chance.randint(1, 4)):
            changed[chance.randrange(len(changed))] = chance.randrange(256)
        if form == "PNG" and chance.random() < 0.5:
            changed = bytearray(with_right_checksums(bytes(changed)))
        try:
            read = logos.read(bytes(changed))
        except InvalidError:
            continue
        image = opened(read)
        assert max(image.size) <= logos.MOST_PIXELS
        assert images.CANARY.encode() not in read


def with_right_checksums(content: bytes) -> bytes:
    """Return a PNG file whose chunks have the checksums of their content, as far as it has any."""
    parts, place = [content[:8]], 8
    while place + 12 <= len(content):
        (size,) = struct.unpack(">I", content[place : place + 4])
        if place + 12 + size > len(content):
            break
        kind = content[place + 4 : place + 8]
        parts.append(images.chunk(kind, content[place + 8 : place + 8 + size]))
        place += size + 12
    return b"".join((*parts, content[place:]))
