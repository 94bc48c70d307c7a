"""Every address carries the very words it was given and adds nothing; each network counts in its own way."""

from __future__ import annotations

import time
from collections.abc import Callable
from email import message_from_bytes, policy
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wfr import intents

WORDS = st.text()
ADDRESS = "president.burundi@example.org"
LINK = "https://wfr.example/cases/ana?from=a&to=b#c"


def fields(url: str) -> dict[str, str]:
    """Return the parameters of `url` as a strict reader sees them; each name may stand there once."""
    pairs = parse_qsl(urlsplit(url).query.lstrip("&"), keep_blank_values=True, strict_parsing=True)
    assert len(dict(pairs)) == len(pairs)
    return dict(pairs)


def lines(text: str) -> str:
    """Return `text` with the line breaks that addresses carry."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


# E-mail


@settings(deadline=None)
@given(WORDS, WORDS)
def test_a_mailto_address_carries_exactly_subject_and_body(subject: str, body: str) -> None:
    url = intents.mailto(ADDRESS, subject, body)
    assert url.startswith(f"mailto:{ADDRESS}?subject=")
    assert "+" not in url
    found = fields(url)
    assert set(found) == {"subject", "body"}
    assert found["body"] == lines(body).replace("\n", "\r\n")
    assert "\n" not in found["subject"]


def test_a_mailto_address_breaks_lines_as_the_rfc_asks() -> None:
    url = intents.mailto("a+b@example.org", "Free Ana & Omar?", "Dear Sir,\nplease\r\nact\rnow")
    assert url == (
        "mailto:a%2Bb@example.org?subject=Free%20Ana%20%26%20Omar%3F&body=Dear%20Sir%2C%0D%0Aplease%0D%0Aact%0D%0Anow"
    )


@pytest.mark.parametrize(
    "to",
    [
        "a@example.org?bcc=x@example.org",
        "a@example.org,b@example.org",
        "a@example.org\r\nBcc: b@example.org",
        "a@example.org\n",
        "Ana <a@example.org>",
        "no address",
        "a@",
        "a@-example.org",
    ],
)
@pytest.mark.parametrize("write", [intents.mailto, intents.gmail, intents.outlook, intents.yahoo, intents.eml])
def test_only_one_plain_address_is_ever_written_to(write: Callable[[str, str, str], object], to: str) -> None:
    with pytest.raises(ValueError, match="not a plain e-mail address"):
        write(to, "subject", "body")


def test_a_message_without_a_recipient_leaves_the_choice_to_the_visitor() -> None:
    assert intents.email_share("Read this", LINK).startswith("mailto:?subject=Read%20this&body=https%3A%2F%2F")


def test_length_is_counted_on_the_whole_encoded_address() -> None:
    room = intents.MAILTO_LIMIT - len(intents.mailto(ADDRESS, "s", ""))
    assert not intents.too_long_for_mailto(ADDRESS, "s", "a" * room)
    assert intents.too_long_for_mailto(ADDRESS, "s", "a" * (room + 1))
    assert intents.too_long_for_mailto(ADDRESS, "s", "م" * (room // 6 + 1))


WEBMAIL: dict[Callable[[str, str, str], str], tuple[str, dict[str, str], str]] = {
    intents.gmail: ("https://mail.google.com/mail/", {"view": "cm", "fs": "1"}, "su"),
    intents.outlook: ("https://outlook.live.com/mail/0/deeplink/compose", {}, "subject"),
    intents.yahoo: ("https://compose.mail.yahoo.com/", {}, "subject"),
}


@pytest.mark.parametrize("write", WEBMAIL)
@settings(deadline=None)
@given(body=WORDS)
def test_webmail_gets_the_same_words(write: Callable[[str, str, str], str], body: str) -> None:
    page, fixed, subject = WEBMAIL[write]
    url = write(ADDRESS, "Free Ana & Omar", body)
    assert url.split("?")[0] == page
    assert "+" not in url
    assert fields(url) == {**fixed, "to": ADDRESS, subject: "Free Ana & Omar", "body": lines(body)}


def test_a_file_opens_as_a_draft_from_nobody_in_utf_8() -> None:
    written = intents.eml(
        ADDRESS,
        "Free Ana \N{EN DASH} حرية",
        "Dear Sir,\n\nعزيزي\r\n" + "x" * 2_000,
        name="President, Burundi",
    )
    assert b"\n" not in written.replace(b"\r\n", b"")
    message = message_from_bytes(written, policy=policy.default)
    assert message["X-Unsent"] == "1"
    assert message["From"] is None
    assert message["Date"] is None
    assert message["To"].addresses[0].addr_spec == ADDRESS
    assert message["To"].addresses[0].display_name == "President, Burundi"
    assert message["Subject"] == "Free Ana \N{EN DASH} حرية"
    assert message.get_content_charset() == "utf-8"
    assert lines(message.get_content()) == "Dear Sir,\n\nعزيزي\n" + "x" * 2_000 + "\n"


@settings(deadline=None)
@given(WORDS, WORDS, WORDS)
def test_no_words_can_add_a_header_to_a_file(subject: str, body: str, name: str) -> None:
    written = intents.eml(ADDRESS, f"{subject}\r\nBcc: x@example.org", body, name=f"{name}\nCc: y@example.org")
    message = message_from_bytes(written, policy=policy.default)
    assert sorted(message.keys()) == [
        "Content-Transfer-Encoding",
        "Content-Type",
        "MIME-Version",
        "Subject",
        "To",
        "X-Unsent",
    ]
    assert [address.addr_spec for address in message["To"].addresses] == [ADDRESS]


@settings(deadline=None)
@given(WORDS)
def test_the_body_of_a_file_is_the_very_text(body: str) -> None:
    message = message_from_bytes(intents.eml(ADDRESS, "s", body), policy=policy.default)
    payload = message.get_payload(decode=True)
    assert isinstance(payload, bytes)
    assert lines(payload.decode()).rstrip("\n") == lines(body).rstrip("\n")


# Posts and messages

POSTS: dict[Callable[[str], str], str] = {
    intents.x_post: "https://x.com/intent/tweet",
    intents.bluesky_post: "https://bsky.app/intent/compose",
    intents.threads_post: "https://www.threads.com/intent/post",
    intents.whatsapp: "https://wa.me/",
}


@pytest.mark.parametrize("post", POSTS)
@settings(deadline=None)
@given(text=WORDS)
def test_a_post_opens_with_the_very_text(post: Callable[[str], str], text: str) -> None:
    url = post(text)
    assert url.split("?")[0] == POSTS[post]
    assert fields(url) == {"text": lines(text)}


@settings(deadline=None)
@given(WORDS)
def test_the_link_has_its_own_place_on_x_threads_and_telegram(text: str) -> None:
    for url in (intents.x_post(text, LINK), intents.threads_post(text, LINK), intents.telegram(text, LINK)):
        assert fields(url) == {"text": lines(text), "url": LINK}


@settings(deadline=None)
@given(WORDS)
def test_elsewhere_the_link_stands_last_in_the_text(text: str) -> None:
    expected = f"{lines(text)} {LINK}" if text else LINK
    assert fields(intents.bluesky_post(text, LINK)) == {"text": expected}
    assert fields(intents.mastodon_post("mastodon.social", text, LINK)) == {"text": expected}
    assert fields(intents.whatsapp(text, LINK)) == {"text": expected}
    assert intents.sms(text, LINK).startswith("sms:?&body=")
    assert fields(intents.sms(text, LINK)) == {"body": expected}


def test_facebook_and_linkedin_take_the_link_only() -> None:
    assert fields(intents.facebook(LINK)) == {"u": LINK}
    assert fields(intents.linkedin(LINK)) == {"url": LINK}


def test_words_cannot_smuggle_a_parameter() -> None:
    url = intents.x_post("a&url=https://evil.example#b", LINK)
    assert fields(url) == {"text": "a&url=https://evil.example#b", "url": LINK}
    assert urlsplit(url).fragment == ""


def test_a_lone_surrogate_never_breaks_an_address() -> None:
    assert unquote(intents.x_post("Ana\ud800")).endswith("text=Ana?")
    assert intents.measure("x", "Ana\ud800").length == 4
    assert b"Ana?" in intents.eml(ADDRESS, "s", "Ana\ud800")


@pytest.mark.parametrize("instance", ["mastodon.social", "Social.Example.ORG", "xn--mnchen-3ya.social", "a.b-c.d1.net"])
def test_mastodon_opens_on_the_visitors_own_server(instance: str) -> None:
    assert intents.mastodon_post(instance, "Hi") == f"https://{instance.lower()}/share?text=Hi"


@pytest.mark.parametrize(
    "instance",
    [
        "",
        "localhost",
        "https://mastodon.social",
        "mastodon.social/",
        "mastodon.social/evil",
        "mastodon.social:8443",
        "user@mastodon.social",
        "mastodon.social?x",
        "mastodon.social#x",
        "mastodon.social\n",
        " mastodon.social",
        "127.0.0.1",
        "[::1]",
        "-bad.social",
        "bad-.social",
        "a..social",
        ".social",
        "mastodon.social.",
        "münchen.social",
        "mastodon.social\\@evil.example",
        "a." * 130 + "social",
        "a" * 64 + ".social",
    ],
)
def test_anything_but_a_plain_host_name_is_no_mastodon_server(instance: str) -> None:
    with pytest.raises(ValueError, match="not a plain host name"):
        intents.mastodon_post(instance, "Hi")


# How each network counts


@pytest.mark.parametrize(
    ("network", "text", "url", "length"),
    [
        ("x", "", None, 0),
        ("x", "hello", None, 5),
        ("x", "日本語", None, 6),
        ("x", "👨\u200d👩\u200d👧\u200d👦", None, 2),
        ("x", "e\u0301", None, 1),
        ("x", "see https://example.org/" + "a" * 200, None, 27),
        ("x", "hello", LINK, 5 + 1 + 23),
        ("x", "", LINK, 23),
        ("bluesky", "👨\u200d👩\u200d👧\u200d👦", None, 1),
        ("bluesky", "日本語", None, 3),
        ("bluesky", "a\r\nb", None, 3),
        ("bluesky", "hello", LINK, 5 + 1 + len(LINK)),
        ("mastodon", "👨\u200d👩\u200d👧\u200d👦", None, 1),
        ("mastodon", "see https://example.org/" + "a" * 200 + " now", None, 4 + 23 + 4),
        ("mastodon", "see example.org", None, 15),
        ("mastodon", "hi @ana@example.org and @omar", None, len("hi @ana and @omar")),
        ("mastodon", "mail ana@example.org", None, 20),
        ("mastodon", "hello", LINK, 5 + 1 + 23),
        ("threads", "hello", LINK, 5 + 1 + len(LINK)),
        ("threads", "👍", None, 4),
    ],
)
def test_each_network_counts_in_its_own_way(network: str, text: str, url: str | None, length: int) -> None:
    assert intents.measure(network, text, url).length == length


@pytest.mark.parametrize(("network", "limit"), [("x", 280), ("bluesky", 300), ("mastodon", 500), ("threads", 500)])
def test_a_post_fits_up_to_the_limit_and_not_beyond(network: str, limit: int) -> None:
    full = intents.measure(network, "a" * limit)
    assert (full.length, full.limit, full.fits) == (limit, limit, True)
    assert full.label == intents.NETWORKS[network].label
    assert not intents.measure(network, "a" * (limit + 1)).fits


@settings(deadline=None)
@given(st.sampled_from(sorted(intents.NETWORKS)), WORDS)
def test_anything_can_be_measured(network: str, text: str) -> None:
    assert intents.measure(network, text).length >= 0
    assert intents.measure(network, text, LINK).length >= min(23, len(LINK))


@pytest.mark.parametrize(
    "unit",
    [
        "a.",
        "é.",
        "a.co/x",
        "日.",
        "日",
        "http://a.b",
        "a.b,",
        "@a.b",
        ("a." * 11)[:-1] + " ",
        "\u2060.a",
        "👍",
        "https://a.co/?日",
    ],
)
def test_no_words_take_long_to_measure(unit: str) -> None:
    text = f"{(unit * 1_000)[:994]} t.com"
    started = time.process_time()
    for network in intents.NETWORKS:
        intents.measure(network, text, LINK)
    assert intents.links_in(text)
    # Dotted words took X's own rules three seconds each; ours, some hundredths.
    assert time.process_time() - started < 1


@settings(deadline=None)
@given(
    st.lists(
        st.sampled_from(
            ["a.", "a.co", "http://b.org", ",", ".", "..", "/", " ", "日", "t.co/x", "@", "👍", "?q=1.2", "é"]
        ),
        max_size=24,
    ).map("".join)
)
def test_words_with_many_dots_count_at_least_what_x_counts_and_others_exactly(text: str) -> None:
    theirs, ours = intents.parse_tweet(text).weightedLength, intents.measure("x", text).length
    assert ours >= theirs
    assert ours == theirs or text.count(".") > 10


@pytest.mark.parametrize("text", ["Wait" + "." * 60, "1.2.3.4.5.6.7.8.9.10.11.12.13", "Then ... and ... and ... so"])
def test_dots_that_make_no_host_count_as_dots(text: str) -> None:
    assert intents.measure("x", text).length == len(text)
    assert intents.links_in(text) == [] and intents.without_links(text) == text


def test_a_run_of_many_dots_is_taken_for_a_link() -> None:
    run = "a." * 20 + "org"
    assert intents.links_in(f"See {run} now") == [run]
    assert intents.without_links(f"See {run} now") == "See  now"


def test_an_unknown_network_is_a_lookup_error() -> None:
    with pytest.raises(LookupError):
        intents.measure("myspace", "hi")
