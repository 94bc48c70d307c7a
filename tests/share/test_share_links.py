"""Share links carry the words as far as they fit and the whole address, last, always; and nothing else gets in."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
from flask import Flask
from flask_babel import Babel
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.conftest import make_settings
from wfr import intents
from wfr.cases.models import Case, CaseText
from wfr.cases.share_words import LONGEST
from wfr.extensions import Kept
from wfr.intents import ELLIPSIS, WORD_JOINER, cut, plain_words
from wfr.share import sharing
from wfr.share.codes import EVERYBODY, ShareCode, read_code
from wfr.share.sharing import PANEL, ShareLinkView, share_links, words_for

LONG = "Ada Vale was sentenced to 32 years in Togo, for a poem. Write to the President. " * 12
SHARER = 4_711
BASE = "https://wfr.org"

# Where each channel's address leads, and which of its parameters holds the words and which the link.
HOSTS = {
    "x": ("https://x.com/intent/tweet", "text", "url"),
    "bluesky": ("https://bsky.app/intent/compose", "text", None),
    "mastodon": ("/share", "text", None),
    "threads": ("https://www.threads.com/intent/post", "text", "url"),
    "whatsapp": ("https://wa.me/", "text", None),
    "telegram": ("https://t.me/share/url", "text", "url"),
    "facebook": ("https://www.facebook.com/sharer/sharer.php", None, "u"),
    "linkedin": ("https://www.linkedin.com/sharing/share-offsite/", None, "url"),
    "email": ("mailto:", "body", None),
    "sms": ("sms:", "body", None),
}
SCRIPTS = {
    "Latin": "Ada’s “river” & 100% of it:\nread #AdaVale + 'more' \"now\"; a=b? 🕊️👩🏽\u200d🏫",
    "Arabic": "اكتبوا من أجل «آدا» & ١٠٠٪\nالآن #حرية + 'نعم' \"هنا\"؟ a=b 100% 🕊️",
    "Devanagari": "आदा के लिए लिखें & १००%\nअभी #आज़ादी + 'हाँ' \"यहाँ\"? a=b 🕊️",
    "Chinese": "请为“艾达”写信 & 100%\n现在 #自由 + '是' \"这里\"? a=b 🕊️",
}

# As the networks look for a host and for a name: Bluesky's facets, Mastodon's mentions and addresses.
BLUESKY_LINK = re.compile(r"(^|\s|\()((https?://\S+)|([a-z][a-z0-9]*(\.[a-z0-9]+)+)\S*)", re.IGNORECASE | re.MULTILINE)
BLUESKY_MENTION = re.compile(r"(^|\s|\()(@)([a-zA-Z0-9.-]+)(\b)", re.MULTILINE)
MASTODON_LINK = re.compile(r"\b[a-z][a-z0-9+.-]*://\S|xmpp:[^\s\u2060]|magnet:\?", re.IGNORECASE)
MASTODON_MENTION = re.compile(r"(?<![=/\w])@[a-z0-9_]+([a-z0-9_.-]+[a-z0-9_]+)?(@[\w.-]+\w+)?", re.IGNORECASE)


@pytest.fixture(scope="module", autouse=True)
def anywhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Just enough of an app to sign a code and to find the language."""
    app = Flask(__name__)
    site = {"WFR_BASE_URL": BASE, "MAIL_URL": "smtp://mail.example", "WFR_PRIVACY_CONTACT": "us@wfr.example"}
    app.extensions["wfr.settings"] = make_settings(tmp_path_factory.mktemp("links"), "", **site)
    app.extensions["wfr.kept"] = Kept()
    Babel(app)
    with app.test_request_context("/"):
        yield


@pytest.fixture(scope="module")
def case() -> Case:
    case = Case(id=7, slug="ada-vale", name="Ada Vale", country="TG")
    case.texts = [
        CaseText(language="en", headline="Held for a poem. [Z1]", share={}),
        CaseText(language="fr", headline="Détenue", share={"any": "Écrivez pour Ada.", "x": "Vite, pour Ada !"}),
    ]
    return case


def links_of(case: Case, words: str | None, sharer: int = SHARER) -> dict[str, ShareLinkView]:
    return {link.channel: link for link in share_links(case, "en", sharer, words)}


def fields(url: str) -> dict[str, str]:
    """Return the parameters of an address; one that stands twice fails."""
    pairs = parse_qsl(urlsplit(url).query.lstrip("&"), keep_blank_values=True)
    assert len(dict(pairs)) == len(pairs), url
    return dict(pairs)


def carried(link: ShareLinkView) -> str:
    """Parse an address back and return what its reader will post: the words and, after white space, the link."""
    place, words, address = HOSTS[link.channel]
    found = fields(link.url)
    expected = {name for name in (words, address, "subject" if link.channel == "email" else None) if name}
    assert link.url.startswith(f"{place}?") and urlsplit(link.url).fragment == ""
    assert set(found) == expected
    if address:
        assert found[address] == link.link
        return f"{found[words]} {link.link}" if words and found[words] else link.link
    return found[words or ""].replace("\r\n", "\n")


def test_the_channels_stand_in_a_fixed_order_and_only_what_is_copied_or_handed_over_has_no_address(case: Case) -> None:
    links = share_links(case, "en")
    assert [link.channel for link in links] == list(PANEL)
    assert set(PANEL) == set(intents.CHANNELS) - {"campaign"}
    assert {link.channel for link in links if not link.url} == {"device", "link", "text"}


@pytest.mark.parametrize("sharer", [EVERYBODY, SHARER])
def test_each_channel_has_a_share_link_of_its_own(case: Case, sharer: int) -> None:
    for link in share_links(case, "en", sharer):
        start, code = link.link.rsplit("/", 1)
        assert start == f"{BASE}/s"
        assert read_code(code) == ShareCode(7, link.channel, sharer)


@pytest.mark.parametrize("script", SCRIPTS)
@pytest.mark.parametrize("channel", HOSTS)
def test_the_exact_words_come_back_out_of_each_address(case: Case, channel: str, script: str) -> None:
    link = links_of(case, SCRIPTS[script])[channel]
    if channel in intents.WORDLESS:
        assert carried(link) == link.link
    else:
        assert carried(link) == f"{SCRIPTS[script]}{chr(10) * 2 if channel == 'email' else ' '}{link.link}"


def test_what_is_copied_or_handed_over_is_the_same_text(case: Case) -> None:
    links = links_of(case, SCRIPTS["Arabic"])
    assert links["text"].text == f"{SCRIPTS['Arabic']} {links['text'].link}"
    assert links["device"].words == SCRIPTS["Arabic"]
    assert links["link"].text == links["link"].link


SMUGGLED = (
    "@ada",
    "＠ada",
    "@a.b.c",
    "example.org",
    "http://evil.example",
    "//evil.net/x",
    "xmpp:a@b",
    "a.b.co",
    "&url=",
)
GENERATED = st.one_of(
    st.text(max_size=400),
    st.lists(st.sampled_from(SMUGGLED) | st.text(max_size=12), max_size=40).map("".join),
    st.builds(lambda words, times: (words + " ") * times, st.text(min_size=1, max_size=30), st.integers(1, 30)),
    st.text(alphabet="ab.@:/#日क👍\u200d\n ", max_size=330),
)


@settings(max_examples=1000, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(GENERATED)
def test_any_text_stays_within_each_limit_and_its_own_parameter_and_smuggles_nothing(case: Case, text: str) -> None:
    links = links_of(case, text[:LONGEST])
    for link in links.values():
        posted = carried(link) if link.channel in HOSTS else link.text
        assert posted.endswith(link.link), link.channel
        words = posted.removesuffix(link.link)
        assert link.link not in words
        if link.measure:
            assert intents.measure(link.channel, link.words, link.link).fits, link.channel
    assert len(links["email"].url) <= intents.MAILTO_LIMIT
    loose = links["text"].words
    assert intents.links_in(loose) == [] and intents.mentions_in(loose) == []
    for pattern in (BLUESKY_LINK, BLUESKY_MENTION, MASTODON_LINK, MASTODON_MENTION):
        assert not pattern.search(loose), pattern.pattern


@pytest.mark.parametrize(
    "text",
    [
        "@ada",
        "see example.org/x",
        "https://evil.example",
        "x\u0301.com",
        "日本example.org",
        "(t.co/abc)",
        "a@b.net",
        "www.a.co.uk",
    ],
)
def test_names_and_hosts_are_defused_and_read_as_before(text: str) -> None:
    plain = plain_words(text)
    assert plain.replace(WORD_JOINER, "") == text != plain
    assert intents.links_in(plain) == [] and intents.mentions_in(plain) == []
    assert plain_words(plain) == plain


@pytest.mark.parametrize(
    "text", ["#FreeAda #حرية", "At 10:30, 3.5 km. Then 1.2", "Ada: held", "a & b @ home... yes. No"]
)
def test_ordinary_words_and_hashtags_stay_as_they_are(text: str) -> None:
    assert plain_words(text) == text


def test_each_language_and_channel_has_the_staffs_words_and_falls_back(case: Case) -> None:
    assert words_for(case, "fr", "x") == "Vite, pour Ada !"
    assert words_for(case, "fr", "sms") == "Écrivez pour Ada."
    assert words_for(case, "en", "x") == "Ada Vale: Held for a poem."
    assert words_for(case, "de", "x") == "Ada Vale: Held for a poem."
    assert {link.channel: link.words for link in share_links(case, "fr")}["x"] == "Vite, pour Ada !"


def test_a_visitors_own_words_are_remembered_nowhere(case: Case) -> None:
    links_of(case, None)
    kept = sharing._staffs_fitted.cache_info().currsize
    links_of(case, "Kofi says: write for Ada")
    assert sharing._staffs_fitted.cache_info().currsize == kept
    links_of(case, None, sharer=SHARER + 1)
    assert sharing._staffs_fitted.cache_info().currsize == kept


@pytest.mark.parametrize("network", sorted(intents.NETWORKS))
def test_long_words_end_after_a_whole_word_with_an_ellipsis(case: Case, network: str) -> None:
    link = links_of(case, LONG)[network]
    kept = link.words.removesuffix(ELLIPSIS)
    assert link.words.endswith(ELLIPSIS) and LONG.startswith(kept) and LONG[len(kept)] in " ,"
    after = intents.measure(network, link.words, link.link)
    assert after.limit - 15 < after.length <= after.limit
    assert link.measure and link.measure.length > link.measure.limit


def test_words_without_spaces_are_cut_between_characters(case: Case) -> None:
    family = "👨\u200d👩\u200d👧"
    bluesky = links_of(case, family * 130 + "b" * 300)["bluesky"]
    assert bluesky.words == family * 130 + "b" * (300 - 130 - 1 - 1 - len(bluesky.link)) + ELLIPSIS
    assert intents.measure("x", links_of(case, "写 " + "信" * 300)["x"].words, bluesky.link).length > 270


def test_a_cut_leaves_no_comma_before_the_ellipsis() -> None:
    assert cut("One, two, three", lambda words: len(words) <= 10) == f"One, two{ELLIPSIS}"


def test_where_nothing_fits_nothing_is_said() -> None:
    assert cut("One two", lambda words: not words) == ""


def test_an_e_mail_stays_short_enough_for_one_click(case: Case) -> None:
    email = links_of(case, "حرية الآن " * 100)["email"]
    assert len(email.url) <= intents.MAILTO_LIMIT
    assert unquote(email.url).endswith(f"{ELLIPSIS}\r\n\r\n{email.link}")
