"""Photographs: made anew, shown only while a case shows them, and anything else refused without a trace."""

from __future__ import annotations

import io
import json
import struct
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from PIL import Image, ImageCms, ImageDraw
from sqlalchemy import func, select
from werkzeug.datastructures import FileStorage
from werkzeug.test import stream_encode_multipart

from tests.factories import Cast
from tests.linting import LintingClient
from tests.staffing import Colleague, colleague, make_account
from wfr.cases.documents import CaseDocument
from wfr.cases.drafting import begin_draft, set_photograph
from wfr.cases.models import Case, CaseStatus, CaseVersion, Photograph, PhotographFile
from wfr.cases.photographs import BadPhotograph, make_photograph, store_photograph
from wfr.extensions import db, kept
from wfr.staff.models import SHELL, Actor, AuditEntry, Role

ROOT = Path(__file__).resolve().parents[2]
RED, BLUE = (200, 30, 30), (30, 30, 200)


def saved(image: Image.Image, kind: str = "JPEG", **how: object) -> bytes:
    room = io.BytesIO()
    image.save(room, kind, **how)  # type: ignore[arg-type]
    return room.getvalue()


def picture(width: int = 1600, height: int = 1200) -> Image.Image:
    """A picture whose top is red and whose bottom is blue."""
    image = Image.new("RGB", (width, height), RED)
    ImageDraw.Draw(image).rectangle((0, height // 2, width, height), fill=BLUE)
    return image


def png_of_zeros(width: int, height: int) -> bytes:
    """A small PNG that is large once it is decoded."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    packer = zlib.compressobj(9)
    rows = b"".join(packer.compress(bytes(1 + 3 * width)) for _ in range(height)) + packer.flush()
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def archive() -> bytes:
    room = io.BytesIO()
    with zipfile.ZipFile(room, "w") as packed:
        packed.writestr("run.class", b"not a picture")
    return room.getvalue()


def jpeg_with(comment: bytes) -> bytes:
    return saved(picture(400, 300), comment=comment)


def truncated() -> bytes:
    whole = saved(Image.effect_noise((900, 700), 80).convert("RGB"))
    return whole[: len(whole) * 2 // 3]


SVG = b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><script>x</script></svg>'
MOVING = {"save_all": True, "append_images": [Image.new("RGB", (90, 90), BLUE)]}

BAD: dict[str, tuple[Callable[[], bytes], str]] = {
    "bomb": (lambda: png_of_zeros(10_000, 6_000), "million pixels"),
    "svg": (lambda: SVG, "no JPEG"),
    "jpeg and page": (lambda: saved(picture(400, 300)) + b"<html><script>alert(1)</script>", "something else"),
    "png and zip": (lambda: saved(picture(400, 300), "PNG") + archive(), "something else"),
    "webp and zip": (lambda: saved(picture(400, 300), "WEBP") + archive(), "something else"),
    "script in a comment": (lambda: jpeg_with(b"*/<ScRiPt>alert(1)</script>"), "something else"),
    "archive in a comment": (lambda: jpeg_with(archive()), "something else"),
    "truncated jpeg": (truncated, "cut off"),
    "truncated png": (lambda: saved(Image.effect_noise((900, 700), 80), "PNG")[:-500], "cut off"),
    "broken png": (lambda: png_of_zeros(50, 50).replace(b"IDAT", b"IDAT\xff", 1), "cut off|damaged"),
    "moving png": (lambda: saved(picture(90, 90), "PNG", **MOVING), "moves"),
    "moving webp": (lambda: saved(picture(90, 90), "WEBP", **MOVING), "moves"),
    "gif": (lambda: saved(picture(90, 90), "GIF"), "no JPEG"),
    "tiff": (lambda: saved(picture(90, 90), "TIFF"), "no JPEG"),
    "ribbon": (lambda: saved(picture(1000, 100), "PNG"), "four times"),
    "marks only": (lambda: b"\xff\xd8" + b"\xff" * 3_000_000, "cut off"),
    "empty": (lambda: b"", "no JPEG"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_photograph_is_refused_with_a_reason(name: str) -> None:
    make, words = BAD[name]
    with pytest.raises(BadPhotograph, match=words):
        make_photograph(make())


def test_three_widths_in_two_formats_and_none_larger_than_it_was() -> None:
    made = make_photograph(saved(picture(1600, 1200)))
    assert [(file.width, file.format) for file in made.files] == [
        (width, kind) for width in (320, 640, 1280) for kind in ("webp", "jpg")
    ]
    assert (made.width, made.height) == (1280, 960)
    for file in made.files:
        image = Image.open(io.BytesIO(file.data))
        assert image.size == (file.width, file.width * 3 // 4)
        assert image.format == {"webp": "WEBP", "jpg": "JPEG"}[file.format]
    assert [file.width for file in make_photograph(saved(picture(500, 400))).files] == [320, 320, 500, 500]
    assert [file.width for file in make_photograph(saved(Image.new("RGB", (1, 1)), "PNG")).files] == [1, 1]


def test_nothing_of_where_and_when_it_was_taken_is_left() -> None:
    exif = Image.Exif()
    exif[0x010F] = "SecretCamera"
    exif.get_ifd(0x8825)[2] = (52.0, 30.0, 11.0)
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    xmp = b"<x:xmpmeta>SecretPlace</x:xmpmeta>"
    for kind in ("JPEG", "WEBP"):
        data = saved(picture(), kind, exif=exif, icc_profile=profile, xmp=xmp, comment=b"SecretNote")
        assert b"SecretCamera" in data
        for file in make_photograph(data).files:
            image = Image.open(io.BytesIO(file.data))
            image.load()
            assert not image.getexif() and not {"exif", "xmp", "icc_profile", "comment"} & image.info.keys()
            assert b"Secret" not in file.data and b"EXIF" not in file.data.upper()


@pytest.mark.parametrize(
    ("orientation", "size", "red_at"),
    [
        (1, (1280, 960), (640, 10)),
        (2, (1280, 960), (640, 10)),
        (3, (1280, 960), (640, 950)),
        (4, (1280, 960), (640, 950)),
        (5, (1200, 1600), (10, 800)),
        (6, (1200, 1600), (1190, 800)),
        (7, (1200, 1600), (1190, 800)),
        (8, (1200, 1600), (10, 800)),
    ],
)
def test_a_picture_stands_upright(orientation: int, size: tuple[int, int], red_at: tuple[int, int]) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    made = make_photograph(saved(picture(1600, 1200), exif=exif))
    assert (made.width, made.height) == size
    red, _green, blue = Image.open(io.BytesIO(made.files[-1].data)).getpixel(red_at)  # type: ignore[misc]
    assert red > 150 and blue < 80


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "PA", "RGBA", "CMYK", "I;16"])
def test_every_mode_comes_out_in_its_colours(mode: str) -> None:
    grey = (120, 120, 120)
    base = Image.new("I;16", (400, 300), 120 * 257) if mode == "I;16" else Image.new("RGB", (400, 300), grey)
    image = base.quantize() if mode in ("P", "PA") else base.convert(mode, dither=Image.Dither.NONE)
    how = {"transparency": image.getpixel((0, 0))} if mode == "PA" else {}
    made = make_photograph(saved(image, "JPEG" if mode == "CMYK" else "PNG", **how))
    shown = Image.open(io.BytesIO(made.files[-1].data)).getpixel((200, 150))
    expected = {"1": (0, 0, 0), "PA": (255, 255, 255)}.get(mode, grey)
    assert all(abs(one - other) < 6 for one, other in zip(shown, expected, strict=True)), shown  # type: ignore[arg-type]


def test_the_pictures_that_a_phone_hides_behind_the_first_are_left_behind() -> None:
    both = saved(picture(900, 700), "MPO", save_all=True, append_images=[picture(300, 200)])
    assert make_photograph(both).width == 900


MEASURE = """
import json, resource, sys
from wfr.cases.photographs import BadPhotograph, make_photograph
from PIL import Image
Image.init()
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
said = []
for path in sys.argv[1:]:
    try:
        make_photograph(open(path, "rb").read())
    except BadPhotograph as problem:
        said.append(str(problem))
print(json.dumps([said, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024]))
"""


def test_refusing_costs_no_memory_to_speak_of(tmp_path: Path) -> None:
    paths = []
    for name, (make, _words) in BAD.items():
        file = tmp_path / name.replace(" ", "-")
        file.write_bytes(make())
        paths.append(str(file))
    done = subprocess.run([sys.executable, "-c", MEASURE, *paths], cwd=ROOT, capture_output=True, text=True, check=True)
    said, megabytes = json.loads(done.stdout)
    assert len(said) == len(BAD) and megabytes < 150, megabytes


def count(*models: type) -> list[int]:
    return [db.session.scalar(select(func.count()).select_from(model)) or 0 for model in models]


def test_the_same_upload_twice_is_kept_once(app: Flask) -> None:
    with app.app_context():
        by = Actor(make_account("wim").id)
        first = store_photograph(by=by, data=saved(picture()))
        assert store_photograph(by=by, data=saved(picture())) == first
        assert count(Photograph, PhotographFile) == [1, 6]
        trail = db.session.scalars(select(AuditEntry.thing).where(AuditEntry.what == "photograph.stored")).all()
        assert trail == [f"photograph:{first}"] * 2


@pytest.fixture
def writer(app: Flask, season: Cast) -> Colleague:
    """A writer who has begun a draft of the first case."""
    client = colleague(app, "wim")
    with app.app_context():
        begin_draft(by=Actor(client.account_id), slug=season.tiny)
    return client


def upload(client: Colleague, slug: str, data: bytes | None, **fields: str) -> int:
    words = {"credit": "Wim at home", "alt_en": "Ada at a river.", **fields}
    return send(client, f"/desk/cases/{slug}/photograph", data, csrf_token=client.csrf_token(), **words)


def send(client: LintingClient, path: str, data: bytes | None, **fields: str) -> int:
    file = {"photograph": FileStorage(io.BytesIO(data), "holiday.jpg")} if data is not None else {}
    # In memory: the test client's own temporary files are closed by nobody.
    body, _length, boundary = stream_encode_multipart({**fields, **file}, use_tempfile=False)
    form = f"multipart/form-data; boundary={boundary}"
    return client.post(path, data=body.read(), content_type=form).status_code


def document(slug: str) -> CaseDocument:
    found = select(CaseVersion.document).join(Case, Case.id == CaseVersion.case_id).where(Case.slug == slug)
    return CaseDocument.model_validate(db.session.scalars(found.order_by(CaseVersion.number.desc())).first())


def test_an_upload_goes_into_the_draft_and_is_seen_at_the_desk_only(
    app: Flask, writer: Colleague, season: Cast, visitor: LintingClient
) -> None:
    noise = saved(Image.effect_noise((3000, 2400), 90).convert("RGB"), quality=90)
    assert len(noise) > 3_000_000
    assert upload(writer, season.tiny, noise) == 303
    with app.app_context():
        said = document(season.tiny)
    assert said.photograph and said.photograph_credit == "Wim at home"
    assert said.texts["en"].photograph_alt == "Ada at a river."
    page = writer.get(f"/desk/cases/{season.tiny}/photograph").get_data(as_text=True)
    assert f"/desk/photographs/{said.photograph}/640.webp 640w" in page and 'alt="Ada at a river."' in page
    file = writer.get(f"/desk/photographs/{said.photograph}/640.webp")
    assert file.status_code == 200 and file.mimetype == "image/webp" and file.headers["Cache-Control"] == "no-store"
    assert visitor.get(f"/photographs/{said.photograph}/640.webp").status_code == 404
    assert visitor.get(f"/desk/photographs/{said.photograph}/640.webp").status_code == 303


def test_words_alone_are_changed_and_the_photograph_is_taken_out(app: Flask, writer: Colleague, season: Cast) -> None:
    assert upload(writer, season.tiny, saved(picture())) == 303
    assert upload(writer, season.tiny, None, alt_en="Ada laughs.") == 303
    with app.app_context():
        assert document(season.tiny).texts["en"].photograph_alt == "Ada laughs."
    writer.send(f"/desk/cases/{season.tiny}/photograph", remove="1")
    with app.app_context():
        assert document(season.tiny).photograph is None and document(season.tiny).photograph_credit is None


@pytest.mark.parametrize("fields", [{"credit": " "}, {"alt_en": ""}])
def test_credit_and_description_are_needed(app: Flask, writer: Colleague, season: Cast, fields: dict[str, str]) -> None:
    assert upload(writer, season.tiny, saved(picture()), **fields) == 422
    assert upload(writer, season.tiny, None) == 422
    with app.app_context():
        assert count(Photograph, PhotographFile) == [0, 0]


@pytest.mark.parametrize("name", ["bomb", "svg", "jpeg and page", "png and zip", "truncated jpeg"])
def test_a_bad_upload_writes_nothing(app: Flask, writer: Colleague, season: Cast, name: str) -> None:
    with app.app_context():
        before = count(Photograph, PhotographFile, CaseVersion, AuditEntry)
    assert upload(writer, season.tiny, BAD[name][0]()) == 422
    with app.app_context():
        assert count(Photograph, PhotographFile, CaseVersion, AuditEntry) == before


def test_megabytes_are_taken_here_alone_and_from_the_desk_alone(
    writer: Colleague, season: Cast, visitor: LintingClient
) -> None:
    path = f"/desk/cases/{season.tiny}/photograph"
    assert upload(writer, season.tiny, bytes(13 * 1024 * 1024)) == 413
    assert send(visitor, path, bytes(2_000_000)) == 303
    assert send(writer, f"/desk/cases/{season.tiny}/replies", bytes(2_000_000)) == 413


def test_visitors_see_a_photograph_while_a_case_shows_it(app: Flask, season: Cast, visitor: LintingClient) -> None:
    with app.app_context():
        shown = store_photograph(by=SHELL, data=saved(picture()))
        case = db.session.scalars(select(Case).where(Case.slug == season.tiny)).one()
        case.photograph, case.photograph_credit = shown, "Wim <at> home"
        case.texts[0].photograph_alt = "Ada at a “river”."
        db.session.commit()
    page = visitor.get(f"/cases/{season.tiny}").get_data(as_text=True)
    assert f"/photographs/{shown}/320.webp 320w, /photographs/{shown}/640.webp 640w" in page
    assert 'alt="Ada at a “river”."' in page and "Photograph: Wim &lt;at&gt; home" in page
    assert 'alt=""' in visitor.get("/").get_data(as_text=True)
    file = visitor.get(f"/photographs/{shown}/1280.jpg")
    assert file.mimetype == "image/jpeg" and "immutable" not in file.headers["Cache-Control"]
    again = visitor.get(f"/photographs/{shown}/1280.jpg", headers={"If-None-Match": file.headers["ETag"]})
    assert again.status_code == 304
    for nothing in (f"{shown}/1000.jpg", f"{shown}/1280.png", f"{'0' * 64}/320.jpg"):
        assert visitor.get(f"/photographs/{nothing}").status_code == 404
    with app.app_context():
        case = db.session.scalars(select(Case).where(Case.slug == season.tiny)).one()
        case.status = CaseStatus.WITHDRAWN
        db.session.commit()
        kept().forget("shelf")
        app.extensions["wfr.page_cache"].forget()
    assert visitor.get(f"/photographs/{shown}/1280.jpg").status_code == 404


def test_only_the_desk_may_put_a_photograph_into_a_draft(app: Flask, season: Cast) -> None:
    client = colleague(app, "rosa", Role.REVIEWER)
    assert upload(client, season.tiny, saved(picture())) == 409
    with app.app_context():
        begin_draft(by=Actor(client.account_id), slug=season.tiny)
        shown = store_photograph(by=Actor(client.account_id), data=saved(picture()))
        set_photograph(
            by=Actor(client.account_id), slug=season.tiny, photograph=shown, alt={"en": "Ada."}, credit="Wim"
        )
        assert document(season.tiny).photograph == shown
