"""A case's words, an address and a person's own lines become one letter."""

from __future__ import annotations

from datetime import date

import pytest

from tests.letters.conftest import ANA, TODAY, Write
from wfr.cases.models import Case, Kind
from wfr.letters.addressing import posting_hints
from wfr.letters.merging import (
    OWN_WORDS_MARKER,
    PersonalLines,
    by_embassy,
    email_text,
    embassy_copy,
    post_text,
    prefilled_message,
)

OWN = ANA.own_words


def test_a_letter_has_every_part_in_its_place(write: Write) -> None:
    letter = write()
    assert letter.sender_lines == ("Ana Ribeiro", "Rua do Souto 12", "4700-329 Braga", "Portugal")
    assert letter.date_line == "20 November 2026"
    assert letter.addressee_lines == (
        "Kofi Brook",
        "Minister of Rivers",
        "Ministry of Rivers",
        "12 Quay Street",
        "Lomé",
        "TOGO",
    )
    assert letter.subject == "Freedom for Ada Vale"
    assert letter.salutation == "Dear Minister,"
    assert letter.paragraphs == (
        "I am writing about Ada Vale, who is held for a poem.",
        OWN,
        "I ask you to set Ada Vale free.",
    )
    assert (letter.close, letter.signature, letter.own_words) == ("Yours respectfully,", "Ana Ribeiro", OWN)


def test_without_own_words_nothing_stands_in_their_place(write: Write) -> None:
    letter = write(PersonalLines())
    assert letter.paragraphs == (
        "I am writing about Ada Vale, who is held for a poem.",
        "I ask you to set Ada Vale free.",
    )
    assert letter.own_words is None
    assert letter.signature == ""


@pytest.mark.parametrize("field", ["name", "own_words", "message", "address", "subject"])
@pytest.mark.parametrize("typed", ["{person}", "{own_words}", "{", "{{0.__class__}}", "%(person)s", "{handle}"])
def test_braces_of_a_visitor_stay_braces(write: Write, field: str, typed: str) -> None:
    letter = write(PersonalLines(**{field: typed}))
    words = (*letter.sender_lines, letter.subject, *letter.paragraphs, letter.signature)
    assert typed in words


def test_the_marker_in_an_edited_message_becomes_the_own_words(write: Write, case: Case) -> None:
    prefilled = prefilled_message(case, Kind.LETTER, "en")
    assert str(OWN_WORDS_MARKER) in prefilled.splitlines()
    edited = prefilled.replace("\n", "\r\n") + "\r\n\r\nThank you."
    letter = write(PersonalLines(own_words=OWN, message=edited))
    assert letter.paragraphs[1:] == (OWN, "I ask you to set Ada Vale free.", "Thank you.")


def test_an_untouched_prefilled_message_is_the_case_s_own_letter(write: Write, case: Case) -> None:
    message = prefilled_message(case, Kind.LETTER, "en")
    assert write(PersonalLines(own_words=OWN, message=message)) == write(PersonalLines(own_words=OWN))


def test_own_words_come_last_when_the_marker_was_deleted(write: Write) -> None:
    letter = write(PersonalLines(own_words=OWN, message="One.\n\nTwo,\nstill two."))
    assert letter.paragraphs == ("One.", "Two,\nstill two.", OWN)


def test_a_marker_never_reaches_paper(write: Write) -> None:
    marker = str(OWN_WORDS_MARKER)
    letter = write(PersonalLines(message=f"One.\n\n{marker}\n\nTwo.\n{marker}"))
    assert letter.paragraphs == ("One.", "Two.")


def test_an_empty_subject_is_the_case_s(write: Write) -> None:
    assert write(PersonalLines(subject=" ")).subject == "Freedom for Ada Vale"
    assert write(PersonalLines(subject="My own")).subject == "My own"


def test_the_country_closes_an_address_once(write: Write, case: Case) -> None:
    case.targets[0].address_lines = ["12 Quay Street", "Lomé", "Togo"]
    assert write().addressee_lines[-2:] == ("Lomé", "TOGO")


def test_an_office_that_the_address_names_is_not_said_twice(write: Write, case: Case) -> None:
    case.targets[0].address_lines = ["Kofi Brook, Minister of Rivers", "12 Quay Street", "Lomé"]
    assert write().addressee_lines == ("Kofi Brook, Minister of Rivers", "12 Quay Street", "Lomé", "TOGO")


def test_the_country_is_named_for_the_sender_s_post(write: Write, case: Case) -> None:
    case.targets[0].country = "SA"
    case.texts[0].language = "pl"
    assert write(language="pl").addressee_lines[-1] == "ARABIA SAUDYJSKA"
    case.texts[0].language = "ar"
    letter = write(language="ar")
    assert letter.addressee_lines[-1] == "SAUDI ARABIA"
    assert (letter.direction, letter.addressee_direction) == ("rtl", "ltr")


def test_a_letter_in_a_missing_language_is_in_english(write: Write) -> None:
    letter = write(language="ar")
    assert (letter.language, letter.direction) == ("en", "ltr")


def test_a_solidarity_card_goes_to_the_person_without_the_sender_s_address(write: Write) -> None:
    card = write(kind=Kind.SOLIDARITY)
    assert card.addressee_lines == ("Ada Vale", "PO Box 7", "Lomé", "TOGO")
    assert (card.sender_lines, card.subject, card.salutation) == ((), "", "Dear Ada,")
    assert card.paragraphs == ("Your poem is read here.", OWN)


def test_an_email_is_plain_text_and_says_when_it_is_a_demonstration(write: Write) -> None:
    text = email_text(write(kind=Kind.EMAIL))
    assert text == (
        f"Dear Minister,\n\nAda Vale is held for a poem.\n\n{OWN}\n\nPlease set her free.\n\n"
        "Yours respectfully,\nAna Ribeiro"
    )
    shown = email_text(write(kind=Kind.EMAIL, demonstration=True))
    assert shown == f"DEMONSTRATION - do not send\n\n{text}"


def test_a_post_is_filled_in_once_and_marked_once(case: Case) -> None:
    target = case.targets[0]
    assert post_text(case, target, None, False) == "@ministry: Ada Vale is held for a poem. Set her free."
    assert post_text(case, target, "{person} {x}", False) == "{person} {x}"
    shown = post_text(case, target, "Free her", True)
    assert shown == "[Demonstration, do not send] Free her"
    assert post_text(case, target, shown, True) == shown


def test_a_post_without_a_handle_names_the_office(case: Case) -> None:
    case.targets[0].x_handle = None
    assert post_text(case, case.targets[0], None, False).startswith("Minister of Rivers: Ada Vale")


def test_hints_say_how_to_post_and_by_when(case: Case) -> None:
    hints = posting_hints(case.targets[0], "PT", date(2027, 1, 31), TODAY)
    assert any("stamp for a letter abroad" in hint for hint in hints)
    assert "Write TOGO as the last line of the address." in hints
    assert hints[2:] == ["Reckon with 7 to 22 days from Portugal to Togo.", "Post it by 9 January 2027."]
    assert posting_hints(case.targets[0], None, date(2026, 1, 1), TODAY) == hints[:2]


@pytest.mark.parametrize("sender", [None, "", "XX", "<b>"])
def test_without_a_known_country_hints_name_the_deadline(case: Case, sender: str | None) -> None:
    assert "Post it before 31 January 2027." in posting_hints(case.targets[0], sender, date(2027, 1, 31), TODAY)
    assert "Post it today." in posting_hints(case.targets[0], sender, TODAY, TODAY)


@pytest.mark.parametrize(
    ("deadline", "said"),
    [
        (date(2026, 12, 1), "Post it today: it may come after the deadline, 1 December 2026."),
        (date(2026, 11, 22), "It will probably come after the deadline, 22 November 2026."),
    ],
)
def test_a_letter_that_may_be_late_is_helped_by_an_email_where_there_is_one(
    case: Case, deadline: date, said: str
) -> None:
    target = case.targets[0]
    assert posting_hints(target, "PT", deadline, TODAY)[-1] == said
    assert posting_hints(target, "PT", deadline, TODAY, email=True)[-2:] == [said, "Send an e-mail as well."]


def test_the_embassy_stands_in_for_an_address_that_post_does_not_reach(write: Write, case: Case) -> None:
    target = case.targets[0]
    target.embassies = {
        "NZ": ["Embassy of the Togolese Republic", "1 Hill Road", "Canberra"],
        "PT": ["2 Road", "Lisboa"],
    }
    letter = by_embassy(write(), target, "NZ")
    assert letter.addressee_lines == ("Embassy of the Togolese Republic", "1 Hill Road", "Canberra")
    assert letter.note == "By way of the embassy: a letter to Minister of Rivers"
    assert by_embassy(write(), target, "CA").addressee_lines == ("Embassy of Togo",)
    copy = embassy_copy(write(), target, "PT")
    assert copy.addressee_lines == ("Embassy of Togo", "2 Road", "Lisboa")
    assert copy.note == "Copy of my letter to Minister of Rivers"
    assert copy.paragraphs == write().paragraphs


def test_within_the_country_no_stamp_for_abroad_is_asked(case: Case) -> None:
    hints = posting_hints(case.targets[0], "TG", None, TODAY)
    assert hints == ["Put a stamp for a letter within your country on the envelope."]


def test_where_no_post_goes_the_embassy_is_the_way(case: Case) -> None:
    hints = posting_hints(case.targets[0], "NZ", date(2027, 1, 31), TODAY)
    assert hints[1:] == ["Send it by way of the embassy in Canberra."]
    assert not any("stamp" in hint for hint in hints)


def test_a_post_has_no_letter(case: Case) -> None:
    with pytest.raises(ValueError, match="post"):
        prefilled_message(case, Kind.POST, "en")
