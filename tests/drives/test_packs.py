"""The pack: everything for a class's morning, without a drive; names leave no trace, old links open nothing."""

from __future__ import annotations

import io
import logging
import re
import zipfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pypdfium2
import pytest
from flask import Flask
from sqlalchemy import text
from werkzeug.test import TestResponse

from tests.acting import text_of
from tests.factories import Cast
from tests.linting import LintingClient
from wfr import jobs, press
from wfr.cases.models import Case, CaseStatus
from wfr.cases.queries import today
from wfr.extensions import db, kept, utc_now
from wfr.letters import pack_queue
from wfr.letters.models import Pack, PackPart
from wfr.letters.pack_queue import claim_pack, record_part, sweep_packs

PACK = "/schools/pack"
one_database = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""For what asks the database for cases and no more."""
CANARY = "Quintessa Xylographica"


def ask(visitor: LintingClient, *cases: str, path: str = "letters", **fields: Any) -> TestResponse:
    return visitor.post(f"{PACK}/{path}", data={"cases": list(cases), "paper": "A4", **fields})


def pages_of(pdf: bytes) -> list[str]:
    return [page.get_textpage().get_text_bounded() for page in pypdfium2.PdfDocument(pdf)]


def work(app: Flask, job: str = pack_queue.JOB) -> None:
    """Do a job now, as the worker does."""
    jobs.queue_of(app).jobs[job]()


def change(app: Flask, slug: str, **values: Any) -> None:
    """Let something happen to a case, and every process know of it."""
    with app.app_context():
        case = db.session.query(Case).filter_by(slug=slug).one()
        for name, value in values.items():
            setattr(case, name, value)
        db.session.commit()
        kept().forget("shelf")


@pytest.fixture
def waiting(app: Flask, visitor: LintingClient, season: Cast, monkeypatch: pytest.MonkeyPatch) -> str:
    """The address of a pack of 45 letters, in parts of 20, that no worker has seen yet."""
    monkeypatch.setattr("wfr.letters.packing.LETTERS_A_FILE", 20)
    answer = ask(visitor, season.tiny, letters=45)
    assert answer.status_code == 303
    return answer.location


@one_database
def test_the_page_asks_for_nothing_and_offers_all_papers(visitor: LintingClient, season: Cast) -> None:
    page = visitor.get(PACK)
    links = re.findall(rf"{PACK}/([a-z0-9-]+)\.pdf", page.get_data(as_text=True))
    assert {"lesson-11-14", "lesson-15-18", "case-cards", "task", "cards", "labels", "envelopes"} <= set(links)
    assert {"packing-slip", "posters", "petition"} <= set(links)
    assert "Omar Sand" not in text_of(page)
    assert "more than one page" not in text_of(page)


@one_database
def test_a_letter_that_takes_two_pages_is_named_before_printing(
    app: Flask, visitor: LintingClient, season: Cast
) -> None:
    with app.app_context():
        words = db.session.query(Case).filter_by(slug=season.tiny).one().texts[0]
        words.letter = "\n\n".join(["She wrote a poem about the river, and about those who live by it. " * 3] * 12)
        db.session.commit()
    assert "This letter takes more than one page" in text_of(visitor.get(PACK))


@one_database
@pytest.mark.parametrize("code", ["KRTMPD", "krtmpd", "KRTMPD<b>", "OOOOOO"])
def test_a_code_is_passed_on_only_if_it_has_the_form_of_one(visitor: LintingClient, season: Cast, code: str) -> None:
    page = visitor.get(PACK, query_string={"code": code}).get_data(as_text=True)
    assert ("KRTMPD" in page) == (code == "KRTMPD")


@one_database
@pytest.mark.parametrize(
    "what", ["case-cards", "labels", "envelopes", "posters", "large-posters", "petition", "packing-slip", "cards"]
)
def test_a_sheet_is_printed_for_the_chosen_people(visitor: LintingClient, season: Cast, what: str) -> None:
    answer = visitor.get(f"{PACK}/{what}.pdf", query_string={"cases": season.tiny, "paper": "Letter"})
    words = " ".join(pages_of(answer.data)).casefold()
    assert "ada vale" in words or "justice" in words
    assert "tierra" not in words


@one_database
@pytest.mark.parametrize("what", ["lesson-11-14", "lesson-15-18", "task"])
def test_what_a_teacher_needs_is_printed(visitor: LintingClient, season: Cast, what: str) -> None:
    assert pages_of(visitor.get(f"{PACK}/{what}.pdf").data)


@one_database
def test_unknown_papers_are_not_found(visitor: LintingClient, season: Cast) -> None:
    assert visitor.get(f"{PACK}/gold.pdf").status_code == 404


@one_database
def test_names_become_letters_at_once(visitor: LintingClient, season: Cast) -> None:
    answer = ask(visitor, season.tiny, names="Ana\n\n  Bo  \nमहेश", letters="7")
    sheets = pages_of(answer.data)
    assert len(sheets) == 3 and "Bo" in sheets[1]
    assert answer.headers["Content-Disposition"] == f'attachment; filename="letters-{season.tiny}-001-003.pdf"'
    assert "no-store" in answer.headers["Cache-Control"]


@one_database
def test_several_people_are_a_zip_with_a_file_each(visitor: LintingClient, season: Cast) -> None:
    answer = ask(visitor, season.tiny, season.long, names="Ana\nBo")
    with zipfile.ZipFile(io.BytesIO(answer.data)) as archive:
        files = {name: len(pages_of(archive.read(name))) for name in archive.namelist()}
    assert list(files.values()) == [2, 2] and not any("Ana" in name for name in files)


@one_database
def test_everything_comes_in_one_zip(visitor: LintingClient, season: Cast) -> None:
    answer = ask(visitor, season.tiny, path="everything", names="Ana")
    with zipfile.ZipFile(io.BytesIO(answer.data)) as archive:
        names = " ".join(archive.namelist())
        assert all(archive.read(name).startswith(b"%PDF") for name in archive.namelist())
    for part in ("letters-", "lesson-11-14", "case-cards", "task", "cards", "labels", "posters", "petition-", "slip"):
        assert part in names


@one_database
@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"letters": "0"}, "from 1 to 500"),
        ({"letters": "many"}, "from 1 to 500"),
        ({"letters": "251"}, "That makes 502 letters"),
        ({"letters": ""}, "Type how many letters"),
        ({"names": "A" * 101}, "Name 1 has more than 100 characters"),
        ({"names": "Ana \U00013080"}, "Our fonts cannot print"),
    ],
    ids=["none", "words", "too many", "nothing", "a long name", "hieroglyphs"],
)
def test_what_cannot_be_printed_is_said_beside_its_field(
    visitor: LintingClient, season: Cast, fields: dict[str, str], words: str
) -> None:
    page = ask(visitor, season.tiny, season.long, **fields)
    assert page.status_code == 422 and words in text_of(page)


@one_database
def test_a_full_press_says_so_and_keeps_what_was_typed(
    visitor: LintingClient, season: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(press, "PATIENCE_SECONDS", 0.0)
    for _ in range(press.RUNS_AT_ONCE):
        press._room.acquire()
    try:
        answer = ask(visitor, season.tiny, names="Ana Ribeiro")
    finally:
        for _ in range(press.RUNS_AT_ONCE):
            press._room.release()
    assert answer.status_code == 503 and answer.headers["Retry-After"] == "30"
    assert "Ana Ribeiro" in text_of(answer)


def test_a_large_pack_is_printed_part_by_part_and_its_progress_survives(
    app: Flask, visitor: LintingClient, waiting: str
) -> None:
    page = visitor.get(waiting).get_data(as_text=True)
    assert 'max="3" value="0"' in page and "refresh" in page
    with app.app_context():
        identity = claim_pack()
        assert identity == waiting.rpartition("/")[2] and len(identity) >= 22
        assert claim_pack() is None
        assert record_part(identity, 0, b"%PDF- the first")
    assert 'max="3" value="1"' in visitor.get(waiting).get_data(as_text=True)
    fragment = visitor.get(waiting, headers={"HX-Request": "true"}).get_data(as_text=True)
    assert fragment.lstrip().startswith('<div id="pack-progress"') and 'value="1"' in fragment
    assert visitor.get(f"{waiting}/file").status_code == 303


def test_a_worker_that_was_killed_is_followed_by_another_which_does_only_the_rest(
    app: Flask, visitor: LintingClient, waiting: str
) -> None:
    with app.app_context():
        identity = claim_pack()
        assert identity
        record_part(identity, 0, b"%PDF- by the first worker")
        db.session.query(Pack).update({"leased_until": utc_now() - timedelta(seconds=1)})
        db.session.commit()
    work(app, "find_packs")
    answer = visitor.get(f"{waiting}/file")
    with zipfile.ZipFile(io.BytesIO(answer.data)) as archive:
        files = [archive.read(name) for name in archive.namelist()]
    assert files[0] == b"%PDF- by the first worker"
    assert [len(pages_of(file)) for file in files[1:]] == [20, 5]
    assert "Download the letters" in text_of(visitor.get(waiting))


def test_two_workers_at_the_same_part_leave_one_file(app: Flask, waiting: str) -> None:
    with app.app_context():
        identity = claim_pack()
        assert identity
        assert record_part(identity, 0, b"first") and record_part(identity, 0, b"second")
        assert db.session.get_one(PackPart, (identity, 0)).data == b"first"
        assert db.session.get_one(Pack, identity).done == 1


def test_a_pack_that_kills_its_workers_is_given_up(app: Flask, visitor: LintingClient, waiting: str) -> None:
    with app.app_context():
        for _ in range(pack_queue.TRIES_AT_MOST):
            assert claim_pack()
            db.session.query(Pack).update({"leased_until": utc_now() - timedelta(seconds=1)})
            db.session.commit()
        assert claim_pack() is None
    assert "could not be printed" in text_of(visitor.get(waiting))


def test_a_pack_is_gone_within_the_hour(app: Flask, visitor: LintingClient, waiting: str) -> None:
    with app.app_context():
        pack = db.session.query(Pack).one()
        assert pack.expires_at - pack.made_at < timedelta(hours=1)
        record_part(pack.id, 0, b"x")
        db.session.query(Pack).update({"expires_at": utc_now() - timedelta(seconds=1)})
        db.session.commit()
    assert visitor.get(waiting).status_code == 410
    assert visitor.get(f"{waiting}/file").status_code == 410
    with app.app_context():
        sweep_packs()
        assert db.session.query(PackPart).count() == db.session.query(Pack).count() == 0


LATER = [
    {"status": CaseStatus.WITHDRAWN},
    {"status": CaseStatus.PAUSED},
    {"deadline": today() - timedelta(days=1)},
    {"schools": False},
]


@pytest.mark.parametrize("later", LATER, ids=["withdrawn", "paused", "expired", "consent"])
def test_an_old_link_prints_nothing(
    app: Flask, visitor: LintingClient, waiting: str, season: Cast, later: dict[str, Any]
) -> None:
    with app.app_context():
        db.session.query(Pack).update({"state": "ready"})
        db.session.commit()
    change(app, season.tiny, **later)
    assert visitor.get(f"{waiting}/file").status_code == 410
    assert ask(visitor, season.tiny, names="Ana").status_code == 410
    assert visitor.get(f"{PACK}/labels.pdf", query_string={"cases": season.tiny}).status_code == 410
    with app.app_context():
        assert db.session.query(Pack).count() == 0


@pytest.fixture
def logged() -> Iterator[io.StringIO]:
    """Everything that is logged, at every level."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    root = logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield written
    root.removeHandler(handler)
    root.setLevel(before)


def test_a_name_is_found_nowhere_afterwards(
    app: Flask,
    visitor: LintingClient,
    season: Cast,
    tmp_path: Path,
    logged: io.StringIO,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    monkeypatch.setattr("tempfile.tempdir", None)
    assert CANARY in "".join(pages_of(ask(visitor, season.tiny, names=CANARY).data))
    assert ask(visitor, season.tiny, names=f"{CANARY}\n{'x' * 200}").status_code == 422
    with monkeypatch.context() as broken:
        broken.setattr("wfr.letters.packing.STYLESHEET", "css/none.css")
        assert ask(visitor, season.tiny, names=CANARY).status_code == 500
    assert "not_printed" in logged.getvalue()
    with app.app_context():
        if db.engine.dialect.name == "postgresql":
            for table in db.metadata.sorted_tables:
                rows = db.session.execute(text(f'SELECT CAST(t AS text) FROM "{table.name}" AS t')).scalars()  # noqa: S608
                assert not any("Quintessa" in row for row in rows)
    for file in (file for file in tmp_path.rglob("*") if file.is_file()):
        assert b"Quintessa" not in file.read_bytes(), file
    assert "Quintessa" not in logged.getvalue()
