"""Share links carry the words as far as they fit and the whole address, last, always."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

import html5lib
import pytest
from flask import Flask, render_template
from flask_babel import Babel
from hypothesis import given, settings
from hypothesis import strategies as st

from wfr import intents
from wfr.share.sharing import ELLIPSIS, cut, for_network, share_links

URL = "https://wfr.example/cases/germain-rukuki?from=share&kind=letter"
LONG = "Germain Rukuki was sentenced to 32 years in Burundi. Write to the President. " * 12


def fields(url: str) -> dict[str, str]:
    """Return the parameters of an address."""
    return dict(parse_qsl(urlsplit(url).query.lstrip("&"), keep_blank_values=True))


@pytest.fixture
def app() -> Iterator[Flask]:
    """Just enough of an app to render the fragment."""
    app = Flask(__name__, template_folder=str(Path(__file__).parents[2] / "templates"))
    app.jinja_options = {"extensions": ["jinja2.ext.i18n"]}
    Babel(app)
    with app.test_request_context("/"):
        yield app


def test_the_networks_stand_in_a_fixed_order_and_mastodon_waits_for_its_server() -> None:
    assert [link.network for link in share_links("Hi", URL)] == [
        "x",
        "bluesky",
        "threads",
        "whatsapp",
        "telegram",
        "facebook",
        "linkedin",
        "email",
        "sms",
    ]


@settings(deadline=None)
@given(st.text(max_size=900))
def test_the_whole_link_is_in_every_address_and_last_where_it_stands_in_words(text: str) -> None:
    for link in share_links(text, URL):
        found = fields(link.url)
        carried = found.get("url") or found.get("u") or found.get("text") or found["body"]
        assert carried.endswith(URL), link.network


@settings(deadline=None)
@given(st.text(alphabet=st.sampled_from("ab ,é日क👍\u200d\n") | st.characters(), max_size=900))
def test_every_post_fits_its_network(text: str) -> None:
    for network in intents.NETWORKS:
        assert intents.measure(network, for_network(network, text, URL), URL).fits


def test_words_that_fit_stay_as_they_are() -> None:
    links = {link.network: fields(link.url) for link in share_links("Write for Germain & his family", URL)}
    assert links["x"] == {"text": "Write for Germain & his family", "url": URL}
    assert links["bluesky"] == {"text": f"Write for Germain & his family {URL}"}
    assert links["email"] == {
        "subject": "Write for Germain & his family",
        "body": f"Write for Germain & his family\r\n\r\n{URL}",
    }


@pytest.mark.parametrize("network", sorted(intents.NETWORKS))
def test_long_words_end_after_a_whole_word_with_an_ellipsis(network: str) -> None:
    words = for_network(network, LONG, URL)
    kept = words.removesuffix(ELLIPSIS)
    assert words.endswith(ELLIPSIS)
    assert LONG.startswith(kept)
    assert LONG[len(kept)] in " ,"
    measure = intents.measure(network, words, URL)
    assert measure.limit - 15 < measure.length <= measure.limit


def test_words_without_spaces_are_cut_between_characters() -> None:
    words = for_network("bluesky", "👨\u200d👩\u200d👧" * 400, URL)
    assert words == "👨\u200d👩\u200d👧" * (300 - 1 - 1 - len(URL)) + ELLIPSIS
    chinese = for_network("x", "写 " + "信" * 300, URL)
    assert intents.measure("x", chinese, URL).length > 270


def test_a_cut_leaves_no_comma_before_the_ellipsis() -> None:
    assert cut("One, two, three", lambda words: len(words) <= 10) == f"One, two{ELLIPSIS}"


def test_where_nothing_fits_nothing_is_said() -> None:
    assert cut("One two", lambda words: not words) == ""


def test_an_e_mail_stays_short_enough_for_one_click() -> None:
    (email,) = [link for link in share_links("حرية الآن " * 200, URL) if link.network == "email"]
    assert len(email.url) <= intents.MAILTO_LIMIT
    assert unquote(email.url).endswith(f"{ELLIPSIS}\r\n\r\n{URL}")


def test_the_list_is_plain_links_that_tell_the_other_page_nothing(app: Flask) -> None:
    links = share_links("Write for Germain", URL)
    html = render_template("share/_links.html", share_links=links, share_url=URL)
    tree = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parseFragment(html)
    (root,) = list(tree)
    assert root.get("id") == "share-links"
    anchors = root.findall(".//a")
    assert [anchor.get("href") for anchor in anchors] == [link.url for link in links]
    for anchor, link in zip(anchors, links, strict=True):
        assert anchor.get("rel") == "noopener noreferrer"
        assert anchor.get("target") == ("_blank" if link.in_browser else None)
        assert "".join(anchor.itertext()).startswith(link.label)
    assert "style=" not in html
    assert "onclick" not in html


def test_the_link_can_be_copied_by_a_button_or_by_hand(app: Flask) -> None:
    html = render_template("share/_links.html", share_links=share_links("Hi", URL), share_url=URL)
    tree = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parseFragment(html)
    (field,) = tree.findall(".//input")
    (button,) = tree.findall(".//button")
    assert field.get("value") == URL
    assert button.get("data-copy") == f"#{field.get('id')}"
    assert button.text == "Copy link"
