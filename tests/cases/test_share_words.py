"""The words that visitors share: written at the desk, counted as each network counts, kept in files; and consent."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from tests.acting import text_of
from tests.cases.test_desk_editing import HTMX, document_of, typed
from tests.cases.test_desk_life import fields_of, write
from tests.factories import Cast
from tests.staffing import Colleague, colleague
from wfr import intents, paths
from wfr.cases.checking import find_gaps
from wfr.cases.comparing import compare
from wfr.cases.documents import CaseDocument, TextDocument
from wfr.cases.loading import folder_files
from wfr.cases.models import Case, CaseStatus, CaseText
from wfr.cases.queries import today
from wfr.cases.season_files import BadFiles, read_season
from wfr.cases.share_words import SharedOn, measure_share_words, share_word_problems
from wfr.extensions import db
from wfr.share.sharing import share_links
from wfr.staff.models import Role

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


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


def problems(**words: str) -> list[tuple[str, str]]:
    return [
        (channel.value, str(why)) for channel, why in share_word_problems({SharedOn(k): w for k, w in words.items()})
    ]


def test_words_for_each_channel_are_written_at_the_desk(app: Flask, writer: Colleague, path: str) -> None:
    write(writer, path, text__share_any="Ada Vale wrote a poem.", text__share_sms="Ada Vale: a poem", text__share_x="")
    assert document_of(app, path).texts["en"].share == {"any": "Ada Vale wrote a poem.", "sms": "Ada Vale: a poem"}
    page = writer.get(f"{path}/edit")
    assert fields_of(page.get_data(as_text=True))["text-share_sms"] == ["Ada Vale: a poem"]
    assert "2 written" in text_of(page)
    assert write(writer, path).status_code == 303
    assert len(document_of(app, path).texts["en"].share) == 2
    write(writer, path, text__share_any="", text__share_sms="")
    assert document_of(app, path).texts["en"].share == {}


def test_words_that_are_refused_stay_as_they_were(app: Flask, writer: Colleague, path: str) -> None:
    write(writer, path, text__share_email="Ada Vale wrote a poem.")
    answer = write(writer, path, text__share_email="Ada " * 300, text__headline="Held for a line")
    assert answer.status_code == 422 and "At most 1000 characters" in text_of(answer)
    text = document_of(app, path).texts["en"]
    assert (text.share, text.headline) == ({"email": "Ada Vale wrote a poem."}, "Held for a line")


def test_a_language_may_begin_with_its_share_words(app: Flask, writer: Colleague, path: str) -> None:
    write(writer, path, do="language.add", new_language="fr")
    write(writer, path, language="fr", text__share_any="Ada Vale a écrit un poème.", text__letter_close="")
    assert document_of(app, path).texts["fr"].share == {"any": "Ada Vale a écrit un poème."}


def test_what_is_too_long_is_told_while_somebody_writes_and_stops_the_review(writer: Colleague, path: str) -> None:
    words = "Ada Vale wrote a poem about a river. " * 8
    fragment = writer.post(f"{path}/preview", data=typed(writer, path, text__share_x=words), headers=HTMX)
    page = fragment.get_data(as_text=True)
    assert 'id="measures-share_x" hx-swap-oob="true"' in page
    over = intents.measure("x", words.strip(), "https://a.example/s/c").length - 280
    assert f"Too long with the link: X by {over}. Shorten them." in text_of(fragment)
    write(writer, path, text__share_x=words)
    refused = writer.send(f"{path}/submit", revision="2")
    assert refused.status_code == 409
    assert '<details class="share-words" open>' in writer.get(f"{path}/edit").get_data(as_text=True)
    write(writer, path, text__share_x="Ada Vale wrote a poem.")
    assert writer.send(f"{path}/submit", revision="3").status_code == 303


def test_the_words_for_every_channel_must_fit_where_nothing_else_stands(app: Flask) -> None:
    words = "Ada Vale wrote a poem about the river. " * 7
    with app.app_context(), app.test_request_context():
        ((channel, why),) = problems(any=words)
        assert channel == "any" and "X by" in why and "Bluesky by" in why and "Mastodon" not in why
        assert not problems(any=words, x="Ada Vale wrote.", bluesky="Ada Vale wrote.")
        measured = measure_share_words({SharedOn.ANY: "Ada Vale", SharedOn.X: "Ada"})
        assert [measure.network for measure in measured[SharedOn.ANY]] == ["bluesky", "mastodon", "threads", "email"]
        assert [measure.length for measure in measured[SharedOn.X]] == [3 + 1 + intents.URL_LENGTH]
        arabic = "نص " * 300
        assert [channel for channel, _why in problems(email=arabic, whatsapp=arabic)] == ["email"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("Ask @minister to free her", "“@minister” would call on an account"),
        ("Ask ＠minister to free her", "would call on an account"),
        ("Read https://example.org/ada?x=1 now", "“https://example.org/ada?x=1” would become a link"),
        ("Read www.example.org now", "“www.example.org” would become a link"),
        ("She wrote a poem.She was taken", "put a space after the full stop"),
        ("{person} wrote a poem", "“{person}” would be shared as it stands"),
        ("She wrote a poem. [S1]", "“[S1]” would be shared as it stands"),
    ],
)
def test_words_call_on_nobody_and_bring_no_link_of_their_own(app: Flask, words: str, message: str) -> None:
    document = CaseDocument(texts={"en": TextDocument(share={SharedOn.TELEGRAM: words})})
    with app.app_context(), app.test_request_context():
        gaps = [gap for gap in find_gaps(document) if gap.part == "share_telegram"]
        assert [message in str(gap.words) for gap in gaps] == [True], [str(gap.words) for gap in gaps]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.builds("{}{}".format, st.sampled_from(["U.S. ", "p.m.: ", "", "نص.نص "]), st.integers(75, 300).map("a ".__mul__))
)
@example("U.S. " + "a" * 251)
@example("Nine a.m.Then " + "a" * 242)
@example("Ada wrote " * 72)
def test_what_fits_at_the_desk_is_never_cut_for_visitors(app: Flask, text: str) -> None:
    with app.app_context(), app.test_request_context():
        case = Case(
            id=7, slug="ada", name="Ada", country="TG", texts=[CaseText(language="en", headline="Ada", share={})]
        )
        measured = {measure.network: measure for measure in measure_share_words({SharedOn.ANY: text})[SharedOn.ANY]}
        for link in share_links(case, "en", sharer=4_711, words=text):
            if link.channel in measured:
                fits = link.words == intents.plain_words(text)
                assert measured[link.channel].fits == fits, link.channel


def test_ordinary_punctuation_is_no_address(app: Flask) -> None:
    plain = (
        "Ada Vale, U.S. poet, took 1.200 steps at 10.30 p.m. … #FreeAda: was it art. 505(a)? نعم.لا слово.Слово 她.他"
    )
    with app.app_context(), app.test_request_context():
        assert problems(any=plain) == []


def test_versions_are_compared_channel_by_channel(app: Flask) -> None:
    old = CaseDocument(texts={"en": TextDocument(share={SharedOn.X: "Ada wrote.", SharedOn.ANY: "Ada Vale"})})
    new = CaseDocument(texts={"en": TextDocument(share={SharedOn.X: "Ada sang.", SharedOn.ANY: "Ada Vale"})})
    with app.app_context(), app.test_request_context():
        (texts,) = (section for section in compare(old, new) if section.language == "en")
        hows = {str(part.label): part.how for part in texts.parts if str(part.label).startswith("When shared")}
        assert hows == {"When shared: Every channel": "same", "When shared: X": "changed"}


def test_a_file_with_an_unknown_channel_is_refused_with_its_line(app: Flask) -> None:
    files = dict(folder_files(paths.DEMO))
    content = files["cases/jani-silva.toml"].decode()
    line = content[: content.index("[texts.en.share]")].count("\n") + 2
    files["cases/jani-silva.toml"] = content.replace("[texts.en.share]", '[texts.en.share]\ntictac = "Ada"', 1).encode()
    with app.app_context(), app.test_request_context(), pytest.raises(BadFiles) as bad:
        read_season(files, counted=True)
    assert [(problem.line, "tictac" in str(problem.words)) for problem in bad.value.problems] == [(line, True)]


CONSENT = {
    "given_by": "person",
    "story": "y",
    "evidence": "file 12 of the office",
    "kinds": ["letter", "email", "post"],
}


def consents(writer: Colleague, path: str, **more: str) -> None:
    fields = {"name": "Ada Vale", "checked_on": today().isoformat(), "ends": (today() + timedelta(9)).isoformat()}
    assert writer.send(f"{path}/consent", **CONSENT, **fields, **more).status_code == 303


def shown(app: Flask, path: str) -> Case:
    with app.app_context():
        return db.session.scalars(select(Case).where(Case.slug == path.rpartition("/")[2])).one()


def test_a_new_consent_takes_effect_and_says_what_it_covers(app: Flask, writer: Colleague, path: str) -> None:
    consents(writer, path, feeds="y", on_x="y")
    case = shown(app, path)
    assert (case.feeds, case.on_x, case.schools) == (True, True, False)
    for page in (f"{path}/consent", path):
        assert "yes: feeds, other sites, embeds, share cards" in text_of(writer.get(page))
    consents(writer, path)
    case = shown(app, path)
    assert (case.feeds, case.on_x) == (False, False)
    for page in (f"{path}/consent", path):
        words = text_of(writer.get(page))
        assert "no: feeds, other sites and embeds leave it out" in words
        assert "no: the campaign’s account may not post it" in words


def test_a_consent_that_was_taken_back_pauses_the_case_and_the_next_one_counts_anew(
    app: Flask, writer: Colleague, path: str
) -> None:
    consents(writer, path, feeds="y", on_x="y")
    assert colleague(app, "rhea", Role.REVIEWER).send(f"{path}/consent/revoke").status_code == 303
    case = shown(app, path)
    assert case.status == CaseStatus.PAUSED
    consents(writer, path)
    case = shown(app, path)
    assert (case.status, case.feeds, case.on_x) == (CaseStatus.PAUSED, False, False)


def test_the_words_of_the_demonstration_fit_and_begin_with_the_name(app: Flask) -> None:
    with app.app_context(), app.test_request_context():
        for file in read_season(folder_files(paths.DEMO), counted=True).cases:
            for language, text in file.document.texts.items():
                told = (file.slug, language)
                assert {"any", "x", "whatsapp", "email"} <= set(text.share), told
                assert list(share_word_problems(text.share)) == [], told
                for words in text.share.values():
                    assert words.startswith(file.document.name) and "2020" in words and "#" not in words, told
