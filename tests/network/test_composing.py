"""What a mailing says: it can be acted on by itself, in both its parts; an outcome asks for nothing."""

from __future__ import annotations

import re
from datetime import date, timedelta

import pytest
from flask import Flask

from tests.network.mailings import SCRIPTS, freeze, make_issue, make_mailing, make_urgent_case, say_in, words_in
from wfr.cases.models import CaseUpdate, Installation
from wfr.cases.queries import today
from wfr.errors import Refused
from wfr.extensions import db
from wfr.letters.addressing import written_date
from wfr.network.composing import Composed, compose, languages_of, short_date
from wfr.network.messages import LEAVE_MARK, ME_MARK
from wfr.network.models import Mailing

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

BASE = "http://127.0.0.1:8000"


def composed(mailing: Mailing, language: str = "en") -> Composed:
    return compose(db.session, mailing, language)


def read_html(html: str) -> str:
    """Return what a person reads of HTML, and where its links lead."""
    return " ".join(
        re.sub(r'<a [^>]*href="([^"]*)"[^>]*>|<style>.*?</style>|<[^>]+>', r" \1 ", html, flags=re.DOTALL).split()
    )


def test_the_mail_of_an_urgent_action_can_be_acted_on_by_itself(app: Flask) -> None:
    with app.app_context():
        case = make_urgent_case()
        case.texts[0].content_note = "It speaks of prison."
        mailing = make_mailing(make_issue(case))
        words_in(mailing).words = "She goes on trial **on Monday**."
        mail = composed(mailing)
        end = written_date(today() + timedelta(days=21), "en")
    needed = (
        "First UA: 12/26",
        "AFR 57/0001/2026",
        "Togo",
        "Ada Vale",
        "Held for a poem about a river",
        "It speaks of prison.",
        "She goes on trial on Monday",
        end,
        "As it stood in November 2020",
        "She wrote a poem. She was taken the next day.",
        "Set her free.",
        "1 River Road",
        "TOGO",
        "minister@ada-vale.example.org",
        "@MinisterOfJustice",
        "French, English",
        "Post does not reach this address from Canada. Send it to the embassy in Ottawa.",
        "10115 Berlin",
        "Dear Minister,",
        "I am writing about Ada Vale, who is held for a poem.",
        "[your own sentence]",
        "I ask you to set Ada Vale free.",
        "Yours sincerely,",
        "[your name]",
        "Ada Vale is held for a poem. Set her free!",
        f"{BASE}/urgent-actions/ada-vale",
        f"{BASE}/urgent-actions/ada-vale.pdf",
        f"{BASE}/cases/ada-vale/letter",
        f"{BASE}/cases/ada-vale/email",
        f"{BASE}/cases/ada-vale/already",
        "Or from this mail: everything that you need is in it.",
        "Before you pass this mail on, take the two links below away: whoever has them can do what you can.",
        f"{BASE}/network/me/{ME_MARK}",
        f"{BASE}/network/leave/{LEAVE_MARK}",
    )
    html = read_html(mail.html)
    assert [words for words in needed if words not in mail.text] == []
    assert [words for words in needed if words not in html] == []
    assert "days left" not in mail.text + mail.html, "it may be read on any day"
    for words in (mail.text, html):
        places = [words.find(part) for part in ("Before you pass this mail on", ME_MARK, LEAVE_MARK)]
        assert places == sorted(places)
    assert "[Z1]" not in mail.text + mail.html and "**" not in mail.text and "{person}" not in mail.text
    assert "src=" not in mail.html and len(mail.html.encode()) < 80_000
    assert mail.subject == f"UA 12/26 Togo: Ada Vale – write before {end.rpartition(' ')[0]}"


def test_a_mail_says_what_was_issued_whatever_the_case_says_since(app: Flask) -> None:
    with app.app_context():
        case = make_urgent_case()
        mailing = make_mailing(make_issue(case))
        case.texts[0].summary = "Something else."
        db.session.flush()
        assert "She wrote a poem." in composed(mailing).text


def test_an_update_begins_with_what_is_new(app: Flask) -> None:
    with app.app_context():
        case = make_urgent_case()
        make_issue(case)
        case.updates.append(CaseUpdate(dated=today(), text="The trial was *adjourned*. [Z8]"))
        db.session.flush()
        mail = composed(make_mailing(make_issue(case, ordinal=2)))
    assert "Second UA: 12/26" in mail.text
    assert "The trial was adjourned.\n" in mail.text and "<em>adjourned</em>" in mail.html
    assert "She is home." not in mail.text


def test_an_outcome_asks_for_nothing(app: Flask) -> None:
    with app.app_context():
        case = make_urgent_case()
        mailing = make_mailing(make_issue(case, outcome=True))
        mail = composed(mailing)
    assert mail.subject == "UA 12/26 Togo: Ada Vale – no further action is requested"
    for words in (mail.text, read_html(mail.html)):
        assert "No further action is requested." in words and "She came home to her river." in words
        assert "1 River Road" not in words and "Dear Minister" not in words and "/letter" not in words


def test_news_say_what_the_desk_wrote_and_begin_with_the_newest_update(app: Flask) -> None:
    with app.app_context():
        case = make_urgent_case()
        mailing = make_mailing(case_id=case.id, sort="news")
        assert words_in(mailing).words == "**end of June 2021**\n\nShe is home. [Z3]"
        mail = composed(mailing)
    assert mail.subject == "News of Ada Vale"
    assert "end of June 2021\n\nShe is home." in mail.text and f"{BASE}/urgent-actions/ada-vale" in mail.text


def test_each_language_that_is_written_has_its_mail_and_english_leads(app: Flask) -> None:
    with app.app_context():
        case = make_urgent_case()
        for language, (headline, summary) in SCRIPTS.items():
            say_in(case, language, headline, summary)
        say_in(case, "es", "", "")
        mailing = make_mailing(make_issue(case))
        assert languages_of(db.session, mailing) == ["en", "ar", "fr", "hi", "zh"]
        arabic = composed(mailing, "ar")
        assert composed(mailing, "pt").text.count("Held for a poem about a river")
    assert f"write before {short_date(today() + timedelta(days=21), 'en')}" in arabic.subject
    assert "TOGO" in arabic.text, "the address is in capitals for the post that carries it"


def test_what_a_mail_says_around_a_case_is_marked_as_the_language_it_is_in(app: Flask) -> None:
    """No catalogue is Arabic: the frame and its days are English, and each of the case's blocks its own language."""
    with app.app_context():
        case = make_urgent_case()
        headline, summary = SCRIPTS["ar"]
        say_in(case, "ar", headline, summary)
        make_issue(case)
        case.updates.append(CaseUpdate(dated=today(), text="She came home."))
        db.session.flush()
        mailing = make_mailing(make_issue(case, ordinal=2))
        words_in(mailing, "ar").words = f"She came home.\n\n{summary}"
        html, text = composed(mailing, "ar").html, composed(mailing, "ar").text
        end = written_date(today() + timedelta(days=21), "en")
    assert '<html lang="en" dir="ltr">' in html
    assert re.search(rf'<p lang="ar" dir="rtl"[^>]*>{summary}', html)
    assert re.search(r'<div lang="en" dir="ltr"><p [^>]*>[^<]*</p><p [^>]*>She came home\.</p>', html)
    assert re.search(r'<p dir="auto"[^>]*>She came home\.</p>', html)
    assert re.search(rf'<p dir="auto"[^>]*>{summary}</p>', html)
    assert end in html and end in text and "Preferred languages: French, English." in text


def test_news_as_old_as_a_cases_words_say_so(app: Flask) -> None:
    with app.app_context():
        case = make_urgent_case(as_it_stood=date(2021, 6, 30))
        words = words_in(make_mailing(case_id=case.id, sort="news")).words
    assert words == "**end of June 2021 · As it stood in June 2021**\n\nShe is home. [Z3]"


def test_freezing_keeps_what_was_composed(app: Flask) -> None:
    with app.app_context():
        mailing = make_mailing(make_issue(make_urgent_case()))
        freeze(mailing)
        words, mail = words_in(mailing), composed(mailing)
        assert (words.subject, words.text, words.html) == (mail.subject, mail.text, mail.html)


def test_words_that_no_mail_can_carry_are_refused(app: Flask) -> None:
    with app.app_context():
        mailing = make_mailing(make_issue(make_urgent_case()))
        words_in(mailing).words = "long " * 20_000
        with pytest.raises(Refused, match="too long"):
            composed(mailing)
        words_in(mailing).words, words_in(mailing).subject = "", "turned \u202e around"
        with pytest.raises(Refused):
            composed(mailing)


def test_a_demonstration_says_so_in_both_parts(app: Flask) -> None:
    with app.app_context():
        db.session.merge(Installation(id=1, demonstration=True))
        mailing = make_mailing(make_issue(make_urgent_case()))
        mail = composed(mailing)
        freeze(mailing)
        assert words_in(mailing).subject == mail.subject == composed(mailing).subject
    assert mail.subject.startswith("[Demonstration] UA 12/26 Togo")
    assert mail.text.count("DEMONSTRATION - do not send") == 2
    assert mail.html.count("DEMONSTRATION - do not send") == 2
