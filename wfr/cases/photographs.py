"""Photographs: made anew from what was uploaded, so that nothing hidden in a file goes on to visitors."""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO

from flask_babel import lazy_gettext as _l
from PIL import Image, ImageCms

from wfr.cases.models import PHOTOGRAPH_WIDTHS, Photograph, PhotographFile
from wfr.extensions import transaction, utc_now
from wfr.staff.auditing import record
from wfr.staff.models import Actor

MOST_BYTES = 12 * 1024 * 1024
MOST_PIXELS = {"JPEG": 40_000_000, "PNG": 20_000_000, "WEBP": 20_000_000}
"""By format: a JPEG can be decoded at half its size or less, the others only whole."""
MOST_STRETCHED = 4
JPEG_QUALITY, WEBP_QUALITY = 80, 78
GROUND = "#ffffff"

# Whatever is read by other programs from anywhere in a file: a page, a script, an archive. Too long to come by chance.
_STOWAWAY = re.compile(rb"<script|<!doctype|<html[\s>]|<\?php\s|%PDF-[12]\.", re.IGNORECASE)
_ARCHIVE_END, _ARCHIVE_REACH = b"PK\x05\x06", 65_557
_MARKER = re.compile(rb"\xff[^\x00\x01\xff\xd0-\xd7]")
_JPEG_START, _JPEG_END = b"\xff\xd8", 0xD9
_ORIENTATION = 0x0112
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_LYING = frozenset({5, 6, 7, 8})

# One at a time in each process: what decoding takes of memory is then known.
_decoding = threading.BoundedSemaphore(1)


class BadPhotograph(ValueError):
    """A file that we do not take as a photograph; `why` says in a sentence what is wrong and what to do."""

    def __init__(self, why: object) -> None:
        super().__init__(str(why))
        self.why = why


@dataclass(frozen=True, slots=True)
class MadeFile:
    """One file of a photograph: `width` in pixels, `format` is ``webp`` or ``jpg``."""

    width: int
    format: str
    data: bytes


@dataclass(frozen=True, slots=True)
class MadePhotograph:
    """A photograph as we made it: `id` is the digest of its largest JPEG, `width` and `height` are its pixels."""

    id: str
    width: int
    height: int
    files: tuple[MadeFile, ...]


def make_photograph(data: bytes) -> MadePhotograph:
    """Make a photograph anew from an uploaded JPEG, PNG or WebP: upright, in sRGB, without metadata, never larger.

    Raises `BadPhotograph` for anything else, judged by what is in the file and never by its name.
    """
    kind = _check_file(data)
    with _decoding:
        try:
            image = _decode(data, kind)
        except BadPhotograph:
            raise
        except (Image.DecompressionBombError, Image.DecompressionBombWarning):
            raise _too_many_pixels(kind) from None
        except Exception as problem:
            # A decoder may fail on hostile bytes in any way at all; none of them is a photograph.
            why = _l("This file is damaged. Save the picture again, or ask for the original.")
            raise BadPhotograph(why) from problem
        return _encode(image)


def store_photograph(*, by: Actor, data: bytes) -> str:
    """Keep a photograph that was uploaded, and return its id; the same upload twice is kept once.

    Raises `BadPhotograph`, and then nothing is written; `DatabaseAway`.
    """
    made = make_photograph(data)
    with transaction() as session:
        # The trail's lock comes first: of two uploads of one picture the second one sees the first.
        record(session, by, "photograph.stored", f"photograph:{made.id}", after={"size": [made.width, made.height]})
        if session.get(Photograph, made.id) is None:
            session.add(
                Photograph(id=made.id, width=made.width, height=made.height, made_at=utc_now(), made_by=by.account_id)
            )
            session.flush()
            session.add_all(
                PhotographFile(photograph_id=made.id, width=file.width, format=file.format, data=file.data)
                for file in made.files
            )
    return made.id


def _check_file(data: bytes) -> str:
    """Return the format of a whole file that holds a picture and nothing else; raises `BadPhotograph`."""
    if len(data) > MOST_BYTES:
        raise BadPhotograph(_l("This file is larger than 12 MB. Save the picture smaller."))
    kind, find_end = next(((kind, find_end) for kind, magic, find_end in _FORMATS if magic.match(data)), (None, None))
    if kind is None or find_end is None:
        raise BadPhotograph(_l("This is no JPEG, PNG or WebP picture. Save it as one of these."))
    end = find_end(data)
    if end is None:
        raise BadPhotograph(_l("This file is cut off: its end is missing. Upload it again, or ask for the original."))
    if data[end:].strip(b"\0") or _STOWAWAY.search(data) or _ARCHIVE_END in data[-_ARCHIVE_REACH:]:
        raise BadPhotograph(
            _l("This file holds something else besides a picture. Open it in a picture program and save it anew.")
        )
    return kind


def _jpeg_end(data: bytes) -> int | None:
    # Phones put further pictures behind the first one (for depth, or brighter screens); they are left behind.
    end = _one_jpeg_end(data, 0)
    while end is not None and data.startswith(_JPEG_START, end):
        end = _one_jpeg_end(data, end)
    return end


def _one_jpeg_end(data: bytes, start: int) -> int | None:
    position = start + len(_JPEG_START)
    while found := _MARKER.search(data, position):
        position = found.end()
        if found[0][1] == _JPEG_END:
            return position
        position += int.from_bytes(data[position : position + 2])
    return None


def _png_end(data: bytes) -> int | None:
    position = 8
    while position + 12 <= len(data):
        kind = data[position + 4 : position + 8]
        position += 12 + int.from_bytes(data[position : position + 4])
        if kind == b"IEND":
            return position if position <= len(data) else None
    return None


def _webp_end(data: bytes) -> int | None:
    size = int.from_bytes(data[4:8], "little")
    end = 8 + size + size % 2
    return end if end <= len(data) else None


_FORMATS: tuple[tuple[str, re.Pattern[bytes], Callable[[bytes], int | None]], ...] = (
    ("JPEG", re.compile(rb"\xff\xd8\xff"), _jpeg_end),
    ("PNG", re.compile(rb"\x89PNG\r\n\x1a\n"), _png_end),
    ("WEBP", re.compile(rb"RIFF....WEBP", re.DOTALL), _webp_end),
)


def _decode(data: bytes, kind: str) -> Image.Image:
    """Return the picture upright, in RGB, at most as wide as our widest."""
    with Image.open(BytesIO(data), formats=[kind]) as image:
        _check_size(image, kind)
        turn = int(image.getexif().get(_ORIENTATION) or 1)
        widest = max(PHOTOGRAPH_WIDTHS)
        image.draft(None, (widest, widest))
        image.load()
        share = min(1.0, widest / (image.height if turn in _LYING else image.width))
        size = [max(1, round(image.width * share)), max(1, round(image.height * share))]
        small = _plain(image).resize(size, Image.Resampling.LANCZOS)
        rgb = _in_srgb(_on_ground(small), image.info.get("icc_profile"))
    return rgb.transpose(_TURNS[turn]) if turn in _TURNS else rgb


def _check_size(image: Image.Image, kind: str) -> None:
    # Nothing is decoded yet: these are the numbers of the file's header.
    width, height = image.size
    if width * height > MOST_PIXELS[kind]:
        raise _too_many_pixels(kind)
    if max(width, height) > MOST_STRETCHED * min(width, height):
        raise BadPhotograph(_l("This picture is more than four times as long as wide. Cut it to the person."))
    if kind != "JPEG" and getattr(image, "is_animated", False):
        raise BadPhotograph(_l("This picture moves. Upload a still one."))


def _too_many_pixels(kind: str) -> BadPhotograph:
    millions = MOST_PIXELS[kind] // 1_000_000
    return BadPhotograph(
        _l(
            "This picture has more than %(millions)d million pixels. Save it smaller: 2,000 pixels across are plenty.",
            millions=millions,
        )
    )


def _plain(image: Image.Image) -> Image.Image:
    """Return the picture in a mode that can be made smaller well: grey, RGB, RGBA or CMYK, eight bits a channel."""
    if image.mode.startswith("I;16"):
        return image.convert("I").point(lambda value: value / 256).convert("L")
    if image.mode in ("L", "RGB", "RGBA", "CMYK") and "transparency" not in image.info:
        return image
    return image.convert("RGBA" if image.has_transparency_data else "RGB")


def _on_ground(image: Image.Image) -> Image.Image:
    if image.mode != "RGBA":
        return image
    ground = Image.new("RGBA", image.size, GROUND)
    ground.alpha_composite(image)
    return ground.convert("RGB")


def _in_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    if profile:
        try:
            converted = ImageCms.profileToProfile(
                image, ImageCms.ImageCmsProfile(BytesIO(profile)), ImageCms.createProfile("sRGB"), outputMode="RGB"
            )
        except (ImageCms.PyCMSError, OSError, ValueError):
            pass  # a profile that does not fit its picture says nothing about its colours
        else:
            assert converted is not None  # noqa: S101 -- None is for work in place
            return converted
    return image.convert("RGB")


def _encode(image: Image.Image) -> MadePhotograph:
    # A new picture holds pixels only; what the old one knew besides is not carried over.
    bare = Image.new("RGB", image.size)
    bare.paste(image)
    files = []
    for width in sorted({min(width, image.width) for width in PHOTOGRAPH_WIDTHS}):
        height = max(1, round(image.height * width / image.width))
        sized = bare if bare.size == (width, height) else bare.resize((width, height), Image.Resampling.LANCZOS)
        files.append(MadeFile(width, "webp", _saved(sized, "WEBP", quality=WEBP_QUALITY)))
        files.append(
            MadeFile(width, "jpg", _saved(sized, "JPEG", quality=JPEG_QUALITY, progressive=True, optimize=True))
        )
    return MadePhotograph(hashlib.sha256(files[-1].data).hexdigest(), image.width, image.height, tuple(files))


def _saved(image: Image.Image, kind: str, **how: int) -> bytes:
    room = BytesIO()
    image.save(room, kind, **how)
    return room.getvalue()
