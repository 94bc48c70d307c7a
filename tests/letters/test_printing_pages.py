"""What a visitor prints: real PDF files, made in the request, with the slip apart from the letter."""

from __future__ import annotations

import email
import io
from datetime import timedelta

import pikepdf
import pypdfium2
import pytest
from flask import Flask
from werkzeug.test import TestResponse

from tests.acting import act, text_of, ticket_in
from tests.factories import Cast
from tests.linting import LintingClient
from wfr.cases.models import Case, CaseStatus, CaseText
from wfr.cases.queries import today
from wfr.extensions import db, kept


def pages_of(answer: TestResponse) -> list[str]:
    """Return the text of each page of a PDF answer."""
    assert answer.mimetype == "application/pdf"
    document = pypdfium2.PdfDocument(answer.data)
    return [page.get_textpage().get_text_bounded() for page in document]


def test_a_letter_is_one_sheet_and_the_slip_another(visitor: LintingClient, season: Cast) -> None:
    ticket = ticket_in(act(visitor, season.tiny))
    answer = visitor.post(
        f"/cases/{season.tiny}/letter/print",
        data={"name": "Ana Ribeiro", "own_words": "I teach biology.", "ticket": ticket, "paper": "A4"},
    )
    letter, slip = pages_of(answer)
    assert "Ana Ribeiro" in letter and "I teach biology." in letter and "Dear Minister," in letter
    assert "TOGO" in letter
    assert ticket[:20] not in letter
    assert "Ana Ribeiro" not in slip and "Ada Vale" in slip
    assert "no-store" in answer.headers["Cache-Control"]
    with pikepdf.open(io.BytesIO(answer.data)) as document:
        assert document.Root.MarkInfo.Marked


def test_a_letter_without_a_ticket_still_prints(visitor: LintingClient, season: Cast) -> None:
    answer = visitor.post(f"/cases/{season.tiny}/letter/print", data={"paper": "Letter", "ticket": "<b>"})
    assert len(pages_of(answer)) == 1


def test_several_letters_are_one_file(visitor: LintingClient, season: Cast) -> None:
    data = {"cases": [season.tiny, season.long], "name": "Ana", "paper": "A4"}
    assert len(pages_of(visitor.post("/several/print", data=data))) == 2
    by_hand = pages_of(visitor.post("/several/handwriting", data=data))
    assert "Ministry of Justice" in " ".join(by_hand)


def test_a_card_goes_to_the_person(visitor: LintingClient, season: Cast) -> None:
    answer = visitor.post(f"/cases/{season.tiny}/solidarity/print", data={"name": "Ana", "own_words": "Be well."})
    assert "Be well." in " ".join(pages_of(answer))


def test_the_mail_file_is_a_draft_without_a_sender(visitor: LintingClient, season: Cast) -> None:
    answer = visitor.post(
        f"/cases/{season.tiny}/email/message.eml", data={"name": "Ana", "subject": "Hi\r\nBcc: x@y.z"}
    )
    message = email.message_from_bytes(answer.data)
    assert message["X-Unsent"] == "1"
    assert message["From"] is None and message["Bcc"] is None
    assert str(message["To"]).endswith("example.org")


@pytest.mark.parametrize("path", ["letter/print", "solidarity/print", "email/message.eml"])
def test_what_is_not_offered_is_not_printed(visitor: LintingClient, season: Cast, path: str) -> None:
    expected = 200 if path.startswith("email") else 410
    assert visitor.post(f"/cases/{season.silent}/{path}", data={}).status_code == expected


LONG = "\n\n".join(["Nobody should be held for a poem, and nobody should have to say so twice. " * 4] * 9)
PRINTED = ["letter/print", "letter/fit", "solidarity/print", "email/message.eml"]


@pytest.mark.parametrize("status", [CaseStatus.PAUSED, CaseStatus.WITHDRAWN, "expired"])
def test_an_old_link_prints_nothing_that_should_not_go_out(
    app: Flask, visitor: LintingClient, season: Cast, status: str
) -> None:
    with app.app_context():
        case = db.session.query(Case).filter_by(slug=season.tiny).one()
        if status == "expired":
            case.deadline = today() - timedelta(days=1)
        else:
            case.status = status
        db.session.commit()
        kept().forget("shelf")
    data = {"name": "Ana", "paper": "A4", "cases": season.tiny, "copy": "y", "beside": "y", "country": "PT"}
    paths = [f"/cases/{season.tiny}/{path}" for path in PRINTED] + ["/several/print", "/several/handwriting"]
    assert {path: visitor.post(path, data=data).status_code for path in paths} == dict.fromkeys(paths, 410)


def test_a_long_letter_is_said_to_take_two_pages_before_it_is_printed(visitor: LintingClient, season: Cast) -> None:
    path = f"/cases/{season.tiny}/letter"
    asks = f'hx-post="{path}/fit"'
    short = visitor.post(f"{path}/preview", data={"name": "Ana"}, headers={"HX-Request": "true"})
    assert asks not in short.get_data(as_text=True)
    long = visitor.post(f"{path}/preview", data={"message": LONG, "paper": "A4"}, headers={"HX-Request": "true"})
    assert asks in long.get_data(as_text=True)
    assert "It is long: it may take two pages." in text_of(long)
    said = text_of(visitor.post(f"{path}/fit", data={"message": LONG, "paper": "A4"}))
    assert said.startswith("This letter takes 2 pages.")
    assert text_of(visitor.post(f"{path}/fit", data={"name": "Ana", "paper": "A4"})) == "One page."
    thanks = act(visitor, season.tiny, message=LONG, paper="A4")
    assert asks in thanks.get_data(as_text=True)


def test_what_cannot_be_printed_is_not_laid_out(visitor: LintingClient, season: Cast) -> None:
    answer = visitor.post(f"/cases/{season.tiny}/letter/fit", data={"name": "日", "paper": "A4"})
    assert answer.status_code == 200
    assert "hx-post" not in answer.get_data(as_text=True)


def test_two_languages_are_offered_where_there_are_two(app: Flask, visitor: LintingClient, season: Cast) -> None:
    path = f"/cases/{season.tiny}/letter"
    assert 'name="beside"' not in visitor.get(path).get_data(as_text=True)
    with app.app_context():
        case = db.session.query(Case).filter_by(slug=season.tiny).one()
        case.targets[0].languages = ["fr"]
        words = dict.fromkeys(("headline", "summary", "story", "ask"), "x")
        case.texts.append(
            CaseText(language="fr", letter="Je vous prie.\n\nMerci.", letter_close="Salutations,", **words)
        )
        db.session.commit()
        kept().forget("shelf")
        kept().forget(f"write {season.tiny} letter en")
    assert "Print it in French beside English" in text_of(visitor.get(path))
    thanks = act(visitor, season.tiny, beside="y").get_data(as_text=True)
    assert '<input type="hidden" name="beside" value="True">' in thanks
    (letter,) = pages_of(visitor.post(f"{path}/print", data={"beside": "True", "paper": "A4"}))
    assert "Je vous prie." in letter and "Ada Vale free" in letter
    (letter,) = pages_of(visitor.post(f"{path}/print", data={"paper": "A4"}))
    assert "Je vous prie." not in letter


def test_where_post_does_not_reach_the_letter_goes_to_the_embassy(visitor: LintingClient, season: Cast) -> None:
    thanks = text_of(act(visitor, season.tiny, country="CA"))
    assert "Post from where you live does not reach this address." in thanks
    assert "Send it to the embassy in Ottawa." in thanks
    assert "names the embassy in place of an address" in thanks
    assert "Put it in an envelope and send it to the embassy." in thanks
    (letter,) = pages_of(visitor.post(f"/cases/{season.tiny}/letter/print", data={"country": "CA", "copy": "y"}))
    assert "Embassy of Togo" in letter and "1 River Road" not in letter
    assert "By way of the embassy: a letter to Minister of Justice" in letter


def test_a_copy_goes_to_an_embassy_that_the_case_has(app: Flask, visitor: LintingClient, season: Cast) -> None:
    assert 'name="copy"' not in act(visitor, season.tiny, country="PT").get_data(as_text=True)
    with app.app_context():
        case = db.session.query(Case).filter_by(slug=season.tiny).one()
        case.targets[0].embassies = {"PT": ["1 Hill Road", "Lisboa"], "CA": ["5 Road", "Ottawa"]}
        db.session.commit()
        kept().forget("shelf")
    assert "Also print a copy for the embassy of Togo in Portugal" in text_of(act(visitor, season.tiny, country="PT"))
    path = f"/cases/{season.tiny}/letter/print"
    letter, copy = pages_of(visitor.post(path, data={"country": "PT", "copy": "y"}))
    assert "1 River Road" in letter and "Copy of" not in letter
    assert "Embassy of Togo" in copy and "1 Hill Road" in copy and "1 River Road" not in copy
    assert "Copy of my letter to Minister of Justice" in copy
    assert len(pages_of(visitor.post(path, data={"country": "PT"}))) == 1
    (instead,) = pages_of(visitor.post(path, data={"country": "CA", "copy": "y"}))
    assert "5 Road" in instead and "Copy of" not in instead
    assert "Your letter is addressed to the embassy." in text_of(act(visitor, season.tiny, country="CA"))
