"""Class packs: one letter of a case for many signers, files that are streamed as a ZIP, orders that name nobody."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator

import pytest
from flask import Flask
from flask_babel import Babel

from tests.letters.conftest import Write
from tests.letters.reading import Printed
from wfr.cases.models import Case
from wfr.errors import Refused
from wfr.letters.merging import OWN_WORDS_MARKER, PersonalLines
from wfr.letters.packing import PackOrder, Portion, check_order, zipped
from wfr.letters.printing import Render, Signer, class_letters_html, print_class_letters

ORDER = PackOrder((Portion("ada-vale", 230), Portion("omar-sand", 30)), "A4", "en")


@pytest.fixture
def app() -> Flask:
    """Translations, for the words of refusals, need an app and nothing of ours."""
    app = Flask(__name__)
    Babel(app)
    return app


def test_every_signer_has_a_letter_of_their_own_with_one_name(write: Write, render: Render) -> None:
    names = ["Ana Ribeiro", "Łukasz", "محمد", "महेश", "Zoë Ångström-O’Brien"]
    signers = [Signer(name) for name in names]
    printed = Printed(print_class_letters(write(PersonalLines()), signers, paper="A4", render=render))
    assert len(printed.texts) == len(names)
    assert [[name for name in names if name in text][:1] for text in printed.texts][::4] == [names[:1], names[4:]]
    assert all("set Ada Vale free." in text and "of your own here" not in text for text in printed.texts)
    assert all(printed.fonts().values())
    assert printed.pdf.Root.MarkInfo.Marked


@pytest.mark.parametrize("own", [str(OWN_WORDS_MARKER), ""], ids=["at its place", "at the end"])
def test_a_blank_letter_has_room_to_write_a_sentence_a_name_and_a_place(write: Write, render: Render, own: str) -> None:
    letter = write(PersonalLines(own_words=own))
    printed = Printed(print_class_letters(letter, [Signer()] * 3, paper="Letter", render=render))
    assert len(printed.texts) == 3
    text = printed.texts[0]
    parts = [
        "I am writing about",
        "Write one sentence of your own here.",
        "I ask you to set",
        "Name or initials",
        "Town",
    ]
    places = [text.index(part) for part in parts]
    assert (places == sorted(places)) == bool(own)
    assert places[1] < places[3] < places[4] and "[your own" not in text
    assert printed.drawings(0) >= 4


def test_names_and_blanks_may_be_mixed(write: Write, render: Render) -> None:
    letter = write(PersonalLines(own_words="We are class 7b."))
    printed = Printed(print_class_letters(letter, [Signer("Ana"), Signer()], paper="A4", render=render))
    assert "We are class 7b." in printed.texts[0] and "We are class 7b." not in printed.texts[1]
    assert "Ana" not in printed.texts[1]


def test_nobody_is_no_class(write: Write, render: Render) -> None:
    with pytest.raises(ValueError, match="nobody"):
        class_letters_html(write(), [], paper="A4", render=render)


def test_the_name_of_the_file_and_its_title_tell_nobody(write: Write, render: Render, case: Case) -> None:
    printed = Printed(print_class_letters(write(), [Signer("Ana Ribeiro")], paper="A4", render=render))
    assert "Ana" not in str(dict(printed.pdf.docinfo))


def test_a_pack_is_a_file_for_each_case_and_each_hundred_letters() -> None:
    assert [part.filename for part in ORDER.parts] == [
        "letters-ada-vale-001-100.pdf",
        "letters-ada-vale-101-200.pdf",
        "letters-ada-vale-201-230.pdf",
        "letters-omar-sand-001-030.pdf",
    ]
    assert ORDER.total == sum(part.letters for part in ORDER.parts) == 260
    assert not ORDER.is_one_file and PackOrder((Portion("ada-vale", 100),), "A4", "en").is_one_file


def test_an_order_is_the_same_after_it_was_written_down() -> None:
    assert PackOrder.of_json(json.loads(json.dumps(ORDER.as_json()))) == ORDER


@pytest.mark.parametrize(
    "portions",
    [(), (("a", 0),), (("a", 501),), (("a", 300), ("b", 201)), (("a", 1), ("a", 1))],
    ids=["none", "no letter", "too many", "too many together", "a case twice"],
)
def test_an_order_of_no_letters_or_too_many_is_refused(app: Flask, portions: tuple[tuple[str, int], ...]) -> None:
    order = PackOrder(tuple(Portion(*portion) for portion in portions), "A4", "en")
    with app.app_context(), pytest.raises(Refused):
        check_order(order)


def test_a_zip_is_sent_while_it_is_made_and_read_from_front_to_back() -> None:
    made: list[int] = []

    def files() -> Iterator[tuple[str, bytes]]:
        for number in range(3):
            made.append(number)
            yield f"{number}.pdf", bytes([number]) * 5_000

    stream = zipped(files())
    first = next(stream)
    assert made == [0] and len(first) > 5_000
    # The head of an entry already knows its size: no descriptor follows the content.
    assert not first[6] & 0x08 and int.from_bytes(first[22:26], "little") == 5_000
    with zipfile.ZipFile(io.BytesIO(first + b"".join(stream))) as archive:
        assert archive.testzip() is None
        assert {entry.filename: entry.compress_type for entry in archive.infolist()} == dict.fromkeys(
            ["0.pdf", "1.pdf", "2.pdf"], zipfile.ZIP_STORED
        )
        assert archive.read("2.pdf") == b"\x02" * 5_000
