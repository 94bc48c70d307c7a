"""The case editor: what is typed is saved, checked and shown, and nobody's words are lost or run as code."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from flask import Flask

from tests.acting import text_of
from tests.cases.test_desk_life import fields_of, write
from tests.factories import Cast
from tests.staffing import Colleague, colleague
from wfr.cases.comparing import compare, pieces
from wfr.cases.desk_queries import case_at_desk
from wfr.cases.documents import CaseDocument, TextDocument
from wfr.cases.editing import change_rows, next_tag
from wfr.staff.models import Role

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(1)>"
HTMX = {"HX-Request": "true"}


@pytest.fixture
def path(season: Cast) -> str:
    """The desk's address of the fixed cast's first case."""
    return f"/desk/cases/{season.tiny}"


@pytest.fixture
def writer(app: Flask, path: str) -> Colleague:
    """A writer with an open draft."""
    writer = colleague(app, "wanda")
    writer.send(f"{path}/draft")
    return writer


def document_of(app: Flask, path: str) -> CaseDocument:
    with app.app_context():
        document = case_at_desk(path.rpartition("/")[2]).document
    assert document is not None
    return document


def typed(who: Colleague, path: str, **changes: Any) -> dict[str, Any]:
    """Return what the editor's form would send with these changes, the token included."""
    fields = fields_of(who.get(f"{path}/edit").get_data(as_text=True))
    return {**fields, **{name.replace("__", "-"): value for name, value in changes.items()}}


def test_sending_the_form_as_it_stands_changes_nothing(app: Flask, writer: Colleague, path: str) -> None:
    before = document_of(app, path)
    assert write(writer, path).status_code == 303
    assert document_of(app, path) == before


def test_a_case_is_written_in_two_languages(app: Flask, writer: Colleague, path: str) -> None:
    answer = write(writer, path, do="language.add", new_language="fr")
    assert answer.headers["Location"].endswith("language=fr#words")
    assert write(writer, path, language="fr", text__headline="Détenue pour un poème").status_code == 303
    document = document_of(app, path)
    assert document.texts["fr"].headline == "Détenue pour un poème"
    assert document.texts["en"].headline == "Held for a poem about a river"
    page = text_of(writer.get(f"{path}/edit?language=fr"))
    assert "things are missing" in page and "What happened (Français)" in page
    write(writer, path, language="fr", do="language.remove")
    assert list(document_of(app, path).texts) == ["en"]


def test_saving_by_itself_answers_with_the_new_revision(writer: Colleague, path: str) -> None:
    fields = typed(writer, path, text__headline="Held for two poems")
    answer = writer.post(f"{path}/edit", data=fields, headers=HTMX)
    assert answer.status_code == 200
    assert "by you" in text_of(answer)
    assert 'id="revision" name="revision" value="2"' in answer.get_data(as_text=True)


def test_two_writers_cannot_save_over_each_other_and_lose_nothing(app: Flask, writer: Colleague, path: str) -> None:
    other = colleague(app, "otto")
    stale = typed(writer, path, text__headline="What Wanda wrote")
    write(other, path, text__headline="What Otto wrote")
    alone = writer.post(f"{path}/edit", data=stale, headers=HTMX)
    assert alone.status_code == 409
    assert "otto saved this draft" in text_of(alone)
    whole = writer.post(f"{path}/edit", data=stale)
    assert whole.status_code == 409
    assert fields_of(whole.get_data(as_text=True))["text-headline"] == ["What Wanda wrote"]
    assert document_of(app, path).texts["en"].headline == "What Otto wrote"
    assert writer.post(f"{path}/edit", data={**stale, "over": "2"}).status_code == 303
    assert document_of(app, path).texts["en"].headline == "What Wanda wrote"


def test_a_draft_that_was_handed_in_meanwhile_says_so_beside_the_words(writer: Colleague, path: str) -> None:
    fields = typed(writer, path, text__headline="Too late")
    writer.send(f"{path}/submit", revision=fields["revision"][0])
    answer = writer.post(f"{path}/edit", data=fields, headers=HTMX)
    assert answer.status_code == 409 and "somebody has handed it in" in text_of(answer)
    assert writer.post(f"{path}/preview", data=fields, headers=HTMX).status_code == 204


def test_a_wrong_field_stays_as_it_was_and_the_rest_is_saved(app: Flask, writer: Colleague, path: str) -> None:
    before = document_of(app, path)
    answer = write(writer, path, deadline="soon", targets__0__email="nobody", text__headline="Held for a line")
    assert answer.status_code == 422
    page = text_of(answer)
    assert "Not everything was saved" in page and "2026-12-10" in page
    after = document_of(app, path)
    assert (after.deadline, after.targets[0].email) == (before.deadline, before.targets[0].email)
    assert after.texts["en"].headline == "Held for a line"


def test_rows_are_added_moved_and_removed_by_plain_buttons(app: Flask, writer: Colleague, path: str) -> None:
    offices = [target.office for target in document_of(app, path).targets]
    write(writer, path, do="targets.1.up")
    assert [target.office for target in document_of(app, path).targets] == offices[::-1]
    write(writer, path, do="sources.add")
    write(writer, path, do="updates.add")
    document = document_of(app, path)
    assert [source.tag for source in document.sources] == ["S1"]
    assert len(document.updates) == 2
    write(writer, path, do="updates.1.remove")
    write(writer, path, do="targets.0.remove")
    document = document_of(app, path)
    assert (len(document.updates), len(document.targets)) == (1, 1)


def test_rows_are_not_lost_by_a_form_that_lacks_them(app: Flask, writer: Colleague, path: str) -> None:
    fields = {name: value for name, value in typed(writer, path).items() if not name.startswith("targets")}
    writer.post(f"{path}/edit", data=fields)
    assert len(document_of(app, path).targets) == 2


def test_a_tag_means_one_source(app: Flask, writer: Colleague, path: str) -> None:
    write(writer, path, do="sources.add")
    write(writer, path, do="sources.add")
    answer = write(writer, path, sources__1__tag="S1", sources__0__title="A test")
    assert answer.status_code == 422 and "This tag stands twice." in text_of(answer)
    assert [source.tag for source in document_of(app, path).sources] == ["S1", "S2"]


def test_the_preview_shows_what_is_typed_and_saves_nothing(app: Flask, writer: Colleague, path: str) -> None:
    before = document_of(app, path)
    fields = typed(writer, path, text__headline="Not saved at all", text__letter="Free {nobody} now")
    fragment = writer.post(f"{path}/preview", data=fields, headers=HTMX).get_data(as_text=True)
    assert "Not saved at all" in fragment
    assert "{nobody} is not one of" in fragment
    assert 'id="measures"' in fragment
    assert document_of(app, path) == before
    assert writer.post(f"{path}/preview", data=fields).status_code == 200


@pytest.mark.parametrize("look", ["page", "letter", "email", "post", "solidarity"])
def test_hostile_words_are_shown_and_never_run(writer: Colleague, path: str, look: str) -> None:
    names = typed(writer, path)
    fields = {
        name: HOSTILE if name.startswith(("text-", "targets-", "updates-")) or name == "name" else value
        for name, value in names.items()
    }
    fields |= {"look": look, "revision": names["revision"]}
    answer = writer.post(f"{path}/preview", data=fields)
    page = answer.get_data(as_text=True)
    assert answer.status_code == 200
    assert "<script>alert" not in page and "<img src=x" not in page
    assert "alert(1)" in page


def test_markdown_is_sanitised(writer: Colleague, path: str) -> None:
    story = "A [link](javascript:alert(1)) and **bold** <b onclick=x>words</b>"
    page = writer.post(f"{path}/preview", data=typed(writer, path, text__story=story)).get_data(as_text=True)
    assert "<strong>bold</strong>" in page
    assert 'href="javascript' not in page and "<b onclick" not in page


def test_the_letter_is_measured_on_real_paper(writer: Colleague, path: str) -> None:
    short = writer.post(f"{path}/paper-fit", data=typed(writer, path), headers=HTMX)
    assert "One page" in text_of(short)
    long = "\n\n".join(["A paragraph that says something at some length, and then says it again. " * 6] * 12)
    second = writer.post(f"{path}/paper-fit", data=typed(writer, path, text__letter=long), headers=HTMX)
    assert "second page" in text_of(second) or "pages" in text_of(second)
    empty = writer.post(f"{path}/paper-fit", data=typed(writer, path, text__letter=""), headers=HTMX)
    assert "needs its words" in text_of(empty)
    pdf = writer.post(f"{path}/paper", data=typed(writer, path))
    assert pdf.data.startswith(b"%PDF")


def test_seven_long_languages_fit_into_a_request(writer: Colleague, path: str, app: Flask) -> None:
    long = "نص " * 6000
    for language in ("fr", "ar", "es", "de", "it", "pt"):
        write(writer, path, do="language.add", new_language=language)
    for language in ("fr", "ar", "es"):
        assert write(writer, path, language=language, text__story=long).status_code == 303
    assert write(writer, path, language="ar", text__letter=long).status_code == 303
    assert len(document_of(app, path).texts) == 7


def test_nothing_can_be_written_without_a_draft(app: Flask, season: Cast) -> None:
    writer, path = colleague(app, "wanda"), f"/desk/cases/{season.silent}"
    for page in ("edit", "preview"):
        assert writer.send(f"{path}/{page}", revision="1").status_code == 409
    assert writer.send(f"{path}/paper", revision="1").status_code == 400


def test_the_editor_is_for_people_on_the_desk(app: Flask, path: str) -> None:
    assert app.test_client().get(f"{path}/edit").status_code == 303
    assert colleague(app, "cora", Role.COORDINATOR).get(f"{path}/edit").status_code == 409


def test_words_are_compared_word_by_word() -> None:
    before, after = pieces("She wrote a poem about a river.", "She sang a poem about the sea.")
    assert [piece.words for piece in before if piece.changed] == ["wrote", "a river."]
    assert [piece.words for piece in after if piece.changed] == ["sang", "the sea."]
    assert "".join(piece.words for piece in after) == "She sang a poem about the sea."


def test_sections_without_a_change_say_so() -> None:
    old = CaseDocument(name="Ada", texts={"en": TextDocument(headline="One")})
    new = CaseDocument(name="Ada", texts={"en": TextDocument(headline="Two"), "fr": TextDocument(headline="Deux")})
    changes = {(section.name, section.language): section.changes for section in compare(old, new)}
    assert changes == {("case", None): 0, ("texts", "en"): 1, ("texts", "fr"): 2}


def test_buttons_that_make_no_sense_change_nothing() -> None:
    document = CaseDocument(name="Ada")
    for what in ("targets.7.up", "targets.x.remove", "nothing.add", "language.remove", "sources.0.checked"):
        assert change_rows(document, what, "en", date(2026, 1, 1)) == document
    assert next_tag(document) == "S1"
