"""What a visitor prints: real PDF files, made in the request, with the slip apart from the letter."""

from __future__ import annotations

import email
import io

import pikepdf
import pypdfium2
import pytest
from werkzeug.test import TestResponse

from tests.acting import act, ticket_in
from tests.factories import Cast
from tests.linting import LintingClient


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
