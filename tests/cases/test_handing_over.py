"""Handing a season over: out as files, in as drafts, all or nothing, and the same bytes each time."""

from __future__ import annotations

import io
import zipfile
from datetime import date
from pathlib import Path

import pytest
from flask import Flask
from hypothesis import HealthCheck, given
from hypothesis import settings as how
from hypothesis import strategies as some
from sqlalchemy import func, select

from tests.conftest import close_database, make_settings
from tests.factories import Cast
from tests.staffing import make_account
from wfr import create_app, paths, schema
from wfr.cases import documents
from wfr.cases.exporting import case_file, export_season, in_order
from wfr.cases.importing import import_season, unpack
from wfr.cases.loading import folder_files
from wfr.cases.models import (
    Case,
    CaseStatus,
    CaseVersion,
    Kind,
    Season,
    Source,
    Story,
    StoryState,
    UpdateKind,
    VersionEditor,
    YearTotal,
)
from wfr.cases.queries import shelf
from wfr.cases.season_files import BadFiles, CannotLoad, read_season
from wfr.cases.share_words import SharedOn
from wfr.cases.withdrawing import withdraw
from wfr.extensions import db
from wfr.pledges.simulating import load_demonstration
from wfr.staff.models import SHELL, Account, Actor, AuditEntry, Role

OWN_DAYS = b"""slug = "2031"
name = "2031"
opens = 2031-11-01
key_date = 2031-12-10
closes = 2031-12-31
reports_due = 2032-01-31
"""


@pytest.fixture
def season(app: Flask, season: Cast) -> Cast:
    """The cast, with sources for what is said of it."""
    with app.app_context():
        for case in db.session.scalars(select(Case)):
            case.sources = [Source(tag=f"Z{n}", title="a test", checked_on=date(2026, 1, n)) for n in (1, 2, 3)]
        db.session.commit()
    return season


@pytest.fixture
def ours() -> dict[str, bytes]:
    """The demonstration's files as a season with days of its own."""
    return {**folder_files(paths.DEMO), "season.toml": OWN_DAYS}


def count(model: type) -> int:
    return db.session.scalar(select(func.count()).select_from(model)) or 0


def importer() -> Actor:
    return Actor(make_account("ines", Role.COORDINATOR).id)


def test_everything_lands_as_drafts(app: Flask, ours: dict[str, bytes]) -> None:
    with app.app_context():
        by = importer()
        done = import_season(by=by, files=ours)
        assert done.season_is_new and len(done.new) == 7 and len(done.stories) == 5 and done.totals == 0
        assert set(db.session.scalars(select(Case.status))) == {CaseStatus.DRAFT}
        assert set(db.session.scalars(select(Story.state))) == {StoryState.DRAFT}
        assert set(db.session.scalars(select(VersionEditor.account_id))) == {by.account_id}
        assert count(CaseVersion) == count(VersionEditor) == 7 and count(YearTotal) == 0
        assert not shelf().cases and not shelf().stories and not shelf().totals
        assert db.session.scalar(select(AuditEntry.account_id).where(AuditEntry.what == "season.imported"))


def test_only_the_shell_brings_the_totals_of_past_years(app: Flask, ours: dict[str, bytes]) -> None:
    with app.app_context():
        assert import_season(by=SHELL, files=ours).totals == count(YearTotal) == 14
        assert count(VersionEditor) == 0


def test_a_demonstration_is_not_mixed_with_a_season_from_the_shell(app: Flask, ours: dict[str, bytes]) -> None:
    with app.app_context():
        load_demonstration(paths.DEMO, simulated=False)
        with pytest.raises(CannotLoad, match="demonstration"):
            import_season(by=SHELL, files=ours)


def test_one_problem_and_nothing_is_loaded(app: Flask, ours: dict[str, bytes]) -> None:
    ours["cases/jani-silva.toml"] = ours["cases/jani-silva.toml"].replace(b"{own_words}", b"{words}")
    with app.app_context():
        with pytest.raises(BadFiles, match=r"cases/jani-silva.toml:\d+: letter: \{words\}"):
            import_season(by=SHELL, files=ours)
        assert count(Season) == count(Case) == count(Story) == count(AuditEntry) == 0


def test_export_import_export_is_the_same_byte_for_byte(app: Flask, tmp_path: Path) -> None:
    with app.app_context():
        load_demonstration(paths.DEMO, simulated=False)
        first = export_season(by=SHELL, slug="2020")
    other = create_app(make_settings(tmp_path, f"sqlite:///{tmp_path}/other.db"))
    schema.upgrade(other, tmp_path)
    with other.app_context():
        import_season(by=SHELL, files=unpack(first))
        assert export_season(by=SHELL, slug="2020") == first
        again = import_season(by=SHELL, files=unpack(first))
        assert not again.new and not again.changed and not again.stories and len(again.unchanged) == 7
    close_database(other)


def test_a_known_case_keeps_its_words_and_gets_a_draft(app: Flask, season: Cast) -> None:
    with app.app_context():
        by = importer()
        files = unpack(export_season(by=by, slug="test"))
        changed = files[f"cases/{season.tiny}.toml"].replace(b"Held for a poem", b"Held for three poems")
        done = import_season(by=by, files={**files, f"cases/{season.tiny}.toml": changed})
        assert done.changed == [season.tiny] and len(done.unchanged) == 2 and not done.stories
        case = db.session.scalars(select(Case).where(Case.slug == season.tiny)).one()
        assert case.status == CaseStatus.PUBLISHED and case.text("en").headline.startswith("Held for a poem")
        draft = db.session.scalars(select(CaseVersion).where(CaseVersion.case_id == case.id, CaseVersion.number == 2))
        assert draft.one().document["texts"]["en"]["headline"].startswith("Held for three poems")
        once_more = changed.replace(b"three", b"four")
        with pytest.raises(BadFiles, match=rf"cases/{season.tiny}.toml:1: this case has a draft"):
            import_season(by=by, files={**files, f"cases/{season.tiny}.toml": once_more})


def test_a_known_story_keeps_its_words_and_gets_a_draft(app: Flask, season: Cast) -> None:
    with app.app_context():
        files = unpack(export_season(by=SHELL, slug="test"))
        files["stories.toml"] = files["stories.toml"].replace(b"300 letters", b"301 letters")
        assert import_season(by=SHELL, files=files).stories == ["out/en"]
        story = db.session.scalars(select(Story)).one()
        assert story.state == StoryState.PUBLISHED and "300" in story.summary
        assert story.pending and "301" in story.pending["summary"]
        files["stories.toml"] = files["stories.toml"].replace(b"301 letters", b"302 letters")
        with pytest.raises(BadFiles, match=r"stories.toml:2: this story has a draft"):
            import_season(by=SHELL, files=files)


def test_a_case_of_another_season_is_a_problem(app: Flask, season: Cast, ours: dict[str, bytes]) -> None:
    with app.app_context():
        files = unpack(export_season(by=SHELL, slug="test"))
        with pytest.raises(BadFiles, match="part of another season"):
            import_season(by=SHELL, files={**files, "season.toml": OWN_DAYS})


def test_two_seasons_are_never_open_at_once(app: Flask, season: Cast) -> None:
    with app.app_context():
        opens = season.season.opens.isoformat().encode()
        file = OWN_DAYS.replace(b"2031-11-01", opens)
        with pytest.raises(BadFiles, match=r"season.toml:3: Two seasons at once"):
            import_season(by=SHELL, files={"season.toml": file})


def test_a_withdrawn_case_is_not_handed_on(app: Flask, season: Cast) -> None:
    with app.app_context():
        by = importer()
        withdraw(by=by, slug=season.tiny, reason="Her brother asked for it.")
        files = unpack(export_season(by=by, slug="test"))
        assert f"cases/{season.tiny}.toml" not in files and len(files) == 4
        assert b"Ada Vale" not in b"".join(files.values())


def packed(*files: tuple[str, bytes]) -> bytes:
    room = io.BytesIO()
    with zipfile.ZipFile(room, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files:
            archive.writestr(name, content)
    return room.getvalue()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"no zip", "no ZIP"),
        (b"PK\x03\x04" + b"x" * 40, "no ZIP"),
        (packed(("../season.toml", b"")), "no file of a season|season.toml:1"),
        (packed(("season.toml", b""), ("/etc/passwd", b"")), "no file of a season"),
        (packed(("season.toml", b""), ("cases/../../x.toml", b"")), "no file of a season"),
        (packed(("season.toml", b""), ("notes.txt", b"")), "no file of a season"),
        (packed(("season.toml", b"\n" * 20_000_000)), "more than any season"),
        (packed(*((f"cases/{n}.toml", b"") for n in range(600))), "more than any season"),
    ],
    ids=["text", "broken", "upwards", "absolute", "sideways", "stranger", "bomb", "many"],
)
def test_a_zip_of_anything_else_is_refused(data: bytes, words: str) -> None:
    with pytest.raises(CannotLoad, match=words):
        read_season(unpack(data))


def test_a_zip_that_lies_about_its_sizes_unpacks_no_more_than_a_season() -> None:
    bomb = packed(("season.toml", b"\n" * 30_000_000))
    for size in ((30_000_000).to_bytes(4, "little"),):
        bomb = bomb.replace(size, (100).to_bytes(4, "little"))
    with pytest.raises(CannotLoad):
        read_season(unpack(bomb))


def test_a_folder_that_was_packed_whole_is_unpacked() -> None:
    files = unpack(packed(("winter/season.toml", OWN_DAYS), ("winter/cases/", b""), ("winter/cases/a.toml", b"x = 1")))
    assert sorted(files) == ["cases/a.toml", "season.toml"]


WORDS = some.text(some.characters(exclude_categories=["Cs", "Cc"], include_characters="\n\t\"'\\#[]"), max_size=60).map(
    str.strip
)
LINES = some.lists(WORDS.filter(bool), max_size=3)
DAYS = some.dates(date(1990, 1, 1), date(2090, 1, 1))
PLAIN = WORDS.map(lambda words: words.translate({ord(mark): None for mark in "{}[]"}).strip())


@some.composite
def case_documents(draw: some.DrawFn) -> documents.CaseDocument:
    tags = draw(some.lists(some.integers(1, 30).map(lambda n: f"Z{n}"), unique=True, max_size=4))
    text = some.builds(
        documents.TextDocument,
        headline=PLAIN,
        story=PLAIN,
        letter=PLAIN,
        letter_close=PLAIN,
        dos=LINES,
        content_note=some.none() | WORDS.filter(bool),
        why_not=some.dictionaries(some.sampled_from(Kind), WORDS, max_size=2),
        share=some.dictionaries(some.sampled_from(SharedOn), WORDS, max_size=2),
        **dict.fromkeys(("summary", "ask", "email_body", "post", "solidarity_message"), PLAIN),
    )
    return documents.CaseDocument(
        name=draw(WORDS.filter(bool)),
        country=draw(some.sampled_from(["TG", "AR"])),
        deadline=draw(some.none() | DAYS),
        kinds=draw(some.lists(some.sampled_from(Kind), unique=True)),
        texts=draw(some.dictionaries(some.sampled_from(["en", "fr", "pt-BR"]), text, max_size=2)),
        targets=draw(
            some.lists(
                some.builds(
                    documents.TargetDocument,
                    for_solidarity=some.booleans(),
                    office=WORDS,
                    name=some.none() | WORDS.filter(bool),
                    address_lines=LINES,
                    country=some.just("TG"),
                    unreached_from=some.lists(some.sampled_from(["CA", "US"]), max_size=2),
                    embassies=some.dictionaries(some.sampled_from(["CA", "US"]), LINES.filter(bool), max_size=2),
                    note=some.none() | WORDS.filter(bool),
                ),
                max_size=2,
            )
        ),
        updates=draw(
            some.lists(
                some.builds(
                    documents.UpdateDocument,
                    language=some.just("en"),
                    kind=some.sampled_from(UpdateKind),
                    dated=DAYS,
                    dated_as=some.none() | WORDS.filter(bool),
                    text=PLAIN,
                ),
                max_size=2,
            )
        ),
        sources=[documents.SourceDocument(tag=tag, title=draw(WORDS), checked_on=draw(DAYS)) for tag in tags],
    )


@how(suppress_health_check=[HealthCheck.too_slow], deadline=None, max_examples=150)
@given(case_documents())
def test_whatever_a_document_says_its_file_says_too(document: documents.CaseDocument) -> None:
    written = case_file(Case(slug="ada-vale", position=3), document)
    files = {"season.toml": OWN_DAYS, "cases/ada-vale.toml": written}
    try:
        (read,) = read_season(files).cases
    except BadFiles as bad:
        raise AssertionError(f"{bad}\n{written.decode()}") from None
    assert in_order(read.document) == in_order(document)
    assert case_file(Case(slug="ada-vale", position=3), read.document) == written


def test_the_account_that_imports_may_not_approve(app: Flask, ours: dict[str, bytes]) -> None:
    from wfr.cases.reviewing import may_approve  # noqa: PLC0415

    with app.app_context():
        by = importer()
        import_season(by=by, files=ours)
        case = db.session.scalars(select(Case).limit(1)).one()
        account = db.session.get(Account, by.account_id)
        assert account is not None and not may_approve(db.session, case, account)


def test_the_shell_takes_over_a_folder_and_writes_a_zip(app: Flask, ours: dict[str, bytes], tmp_path: Path) -> None:
    folder = tmp_path / "winter"
    for name, content in ours.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    shell = app.test_cli_runner()
    taken = shell.invoke(args=["season", "import", str(folder)])
    assert taken.exit_code == 0 and "7 new cases" in taken.output and "14 years' totals" in taken.output
    written = shell.invoke(args=["season", "export", "2031", str(tmp_path / "out.zip")])
    assert written.exit_code == 0 and "cases/jani-silva.toml" in unpack((tmp_path / "out.zip").read_bytes())
    (folder / "season.toml").write_text("slug = ", encoding="utf-8")
    failed = shell.invoke(args=["season", "import", str(folder)])
    assert failed.exit_code == 1 and "season.toml:1:" in failed.output
    assert "no season" in shell.invoke(args=["season", "export", "1999", str(tmp_path / "x.zip")]).output
