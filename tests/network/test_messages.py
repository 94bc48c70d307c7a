"""A mailing as mail: its headers, its two parts in every script, and that nothing anybody typed can add to it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path

import pytest
from flask import Flask

from tests.conftest import make_settings
from tests.network.mailings import (
    READER,
    SCRIPTS,
    freeze,
    make_issue,
    make_mailing,
    make_urgent_case,
    parse,
    part,
    raw_message,
    say_in,
    unwrapped,
    words_in,
)
from wfr.errors import Refused
from wfr.extensions import db
from wfr.network.links import LinkFor, token_for
from wfr.network.messages import UnsafeAddress, message_id, pattern_of, specimen_of
from wfr.network.models import Mailing, MailingWords

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

HEADERS = {
    "Auto-Submitted",
    "Content-Language",
    "Content-Type",
    "Date",
    "Feedback-ID",
    "From",
    "List-Id",
    "List-Unsubscribe",
    "List-Unsubscribe-Post",
    "MIME-Version",
    "Message-ID",
    "Precedence",
    "Subject",
    "To",
}

NASTY = (
    "plain\r\nBcc: everybody@example.org",
    "plain\nBcc: everybody@example.org\n\nbody",
    "plain\rX-Own: 1",
    "nul\x00, bell\x07, form feed\x0c, next line\x85, separators\u2028\u2029",
    "=?utf-8?q?=0D=0ABcc:_everybody@example.org?=",
    "🏳️‍🌈👩‍👩‍👧‍👦 " * 12,
    "Ä" * 190,
    "a" * 190,
    'Quotes " and \\ and <angle@example.org>, (comment); semicolon:',
    "--===============0==\r\nContent-Type: text/html",
)


@pytest.fixture
def frozen(app: Flask) -> int:
    """The id of an approved mailing of an Urgent Action in five languages."""
    with app.app_context():
        case = make_urgent_case()
        for language, (headline, summary) in SCRIPTS.items():
            say_in(case, language, headline, summary)
        mailing = make_mailing(make_issue(case))
        freeze(mailing)
        db.session.commit()
        return mailing.id


def test_a_message_has_the_headers_that_large_senders_owe(app: Flask, frozen: int) -> None:
    with app.app_context():
        message = parse(raw_message(db.session.get_one(Mailing, frozen)))
        leaving = token_for(READER.number, READER.links, LinkFor.LEAVE)
        assert message["Message-ID"] == message_id(READER.salt, READER.delivery_id)
    assert set(message.keys()) == HEADERS and len(message.keys()) == len(HEADERS)
    assert message["From"] == "Write for Rights <no-reply@localhost>"
    assert message["To"] == "ines@example.org"
    assert message["Subject"].startswith("UA 12/26 Togo: Ada Vale – write before ")
    assert message["List-Id"] == "Urgent Action Network <urgent-actions.localhost>"
    assert message["List-Unsubscribe"] == f"<http://127.0.0.1:8000/network/leave/{leaving}>"
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert (message["Auto-Submitted"], message["Precedence"]) == ("auto-generated", "bulk")
    assert message["Content-Language"] == "en"
    assert message["Message-ID"].endswith("@localhost>")
    assert abs(parsedate_to_datetime(message["Date"]) - datetime.now(UTC)) < timedelta(minutes=1)
    assert message.get_content_type() == "multipart/alternative"
    assert [each.get_content_type() for each in message.iter_parts()] == ["text/plain", "text/html"]
    assert not message.defects and not any(each.defects for each in message.walk())


@pytest.mark.parametrize("language", ["en", *SCRIPTS])
def test_both_parts_say_every_script_as_it_was_written(app: Flask, frozen: int, language: str) -> None:
    with app.app_context():
        mailing = db.session.get_one(Mailing, frozen)
        raw = raw_message(mailing, language)
        words = words_in(mailing, language)
        ours = {
            purpose: f"http://127.0.0.1:8000/network/{purpose.value}/{token_for(READER.number, READER.links, purpose)}"
            for purpose in (LinkFor.ME, LinkFor.LEAVE)
        }
    assert raw.count(b"\n") == raw.count(b"\r\n") and b"\r" not in raw.replace(b"\r\n", b"")
    assert max(map(len, raw.split(b"\r\n"))) < 998
    message = parse(raw)
    text, html = part(message, "plain"), part(message, "html")
    assert text.encode() in raw.replace(b"\r\n", b"\n") and html.encode() in raw.replace(b"\r\n", b"\n")
    assert message["Subject"] == words.subject and message["Content-Language"] == language
    for address in ours.values():
        assert f"\n{address}\n" in text and f'href="{address}"' in html
    assert "\ue000" not in text + html
    headline, summary = SCRIPTS.get(language, ("Held for a poem about a river", "She wrote a poem."))
    whole = unwrapped(text).replace("\n", "")
    assert headline in whole and summary in whole
    assert headline in html and summary in html.replace("<wbr\n>", "").replace("\n", " ")


def test_only_a_readers_own_things_differ(app: Flask, frozen: int) -> None:
    with app.app_context():
        pattern = pattern_of(frozen, words_in(db.session.get_one(Mailing, frozen)))
        other = replace(READER, delivery_id=8, number=9, email="zoe@example.net")
        mine, hers = parse(pattern.fill(READER)), parse(pattern.fill(other))
        again = parse(pattern.fill(READER))
    assert {name for name in HEADERS if mine[name] != hers[name]} - {"Date"} == {
        "To",
        "Message-ID",
        "List-Unsubscribe",
    }
    assert mine["Message-ID"] == again["Message-ID"]
    assert str(READER.delivery_id) not in mine["Message-ID"].split("@")[0] or len(mine["Message-ID"]) > 30
    lines = [part(message, "plain").splitlines() for message in (mine, hers)]
    assert sum(one != other for one, other in zip(*lines, strict=True)) == 2
    assert "zoe" not in part(mine, "html") + part(mine, "plain")


def test_no_words_can_add_a_header_or_break_a_part(app: Flask, tmp_path: Path, database_url: str) -> None:
    """Subject, case, opening words, site and organisation: whatever they hold stays where it belongs."""
    with app.app_context():
        for number, nasty in enumerate(NASTY):
            quiet = nasty.replace("\x00", "")
            app.extensions["wfr.settings"] = make_settings(
                tmp_path, database_url, WFR_SITE_NAME=quiet, WFR_ORGANISATION=quiet
            )
            case = make_urgent_case(f"case-{number}", nasty[:150])
            case.texts[0].headline, case.texts[0].summary, case.texts[0].story = nasty, nasty, nasty
            mailing = make_mailing(make_issue(case, f"UA {number}/26"))
            words_in(mailing).subject = words_in(mailing).words = nasty
            freeze(mailing)
            raw = raw_message(mailing)
            assert is_whole(raw), nasty


def is_whole(raw: bytes) -> bool:
    """Say whether a message has its own headers, lines and parts, and nothing else."""
    message = parse(raw)
    assert sorted(message.keys()) == sorted(HEADERS)
    assert raw.count(b"\n") == raw.count(b"\r\n") and b"\x00" not in raw
    assert max(map(len, raw.split(b"\r\n"))) < 998
    assert [each.get_content_type() for each in message.iter_parts()] == ["text/plain", "text/html"]
    assert [address.addr_spec for address in message["From"].addresses] == ["no-reply@localhost"]
    assert [address.addr_spec for address in message["To"].addresses] == ["ines@example.org"]
    assert "Leave the network, at once" in part(message, "plain")
    return part(message, "html").endswith("</html>\n")


@pytest.mark.parametrize(
    "address",
    [
        "ines@example.org\r\nBcc: zoe@example.org",
        "ines@example.org\n",
        "ines@example.org, zoe@example.org",
        "Ines <ines@example.org>",
        "<ines@example.org>",
        '"ines x"@example.org',
        "inés@example.org",
        "ines@exämple.org",
        "ines@example.org\x00",
        "ines example.org",
        "@example.org",
        f"{'i' * 250}@example.org",
        "",
    ],
)
def test_an_address_that_no_header_may_hold_is_not_written_to(app: Flask, frozen: int, address: str) -> None:
    with app.app_context():
        pattern = pattern_of(frozen, words_in(db.session.get_one(Mailing, frozen)))
        with pytest.raises(UnsafeAddress) as refusal:
            pattern.fill(replace(READER, email=address))
    assert not address or address not in str(refusal.value)


def test_a_link_that_no_line_can_hold_is_refused_before_anything_is_sent(app: Flask, frozen: int) -> None:
    with app.app_context():
        mailing = db.session.get_one(Mailing, frozen)
        words_in(mailing).words = f"[Read this](https://example.org/{'a' * 1000})"
        with pytest.raises(Refused):
            freeze(mailing)


def test_words_that_are_not_fixed_make_no_message(app: Flask) -> None:
    with app.app_context(), pytest.raises(ValueError, match="not frozen"):
        pattern_of(1, MailingWords(mailing_id=1, language="en", subject="S", words="W"))


def test_a_specimen_for_the_desk_opens_nobodys_page(app: Flask, frozen: int) -> None:
    with app.app_context():
        message = parse(specimen_of(words_in(db.session.get_one(Mailing, frozen)), "wanda@desk.example.org"))
    assert message["Subject"].startswith("[Test] UA 12/26")
    assert message["To"] == "wanda@desk.example.org"
    assert "List-Unsubscribe" not in message
    assert "/network/leave/specimen" in part(message, "plain")
