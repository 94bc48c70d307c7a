"""The buttons that open a visitor's own program with the words in it. The server itself never writes to a target."""

from __future__ import annotations

from dataclasses import dataclass

from flask_babel import gettext as _

from wfr import intents

NETWORKS = ("x", "bluesky", "mastodon", "threads")


@dataclass(frozen=True, slots=True)
class Opener:
    """A button: what it says, where it leads, and the program it opens."""

    label: str
    url: str
    kind: str


def email_openers(to: str, subject: str, body: str) -> list[Opener]:
    """Return the ways to open an e-mail, the visitor's own program first."""
    return [
        Opener(_("Open my e-mail program"), intents.mailto(to, subject, body), "mailto"),
        Opener("Gmail", intents.gmail(to, subject, body), "gmail"),
        Opener("Outlook.com", intents.outlook(to, subject, body), "outlook"),
        Opener("Yahoo", intents.yahoo(to, subject, body), "yahoo"),
    ]


def post_openers(text: str, url: str) -> list[Opener]:
    """Return the networks a post can be opened in; Mastodon is asked for its instance on the page."""
    return [
        Opener("X", intents.x_post(text, url), "x"),
        Opener("Bluesky", intents.bluesky_post(f"{text} {url}"), "bluesky"),
        Opener("Threads", intents.threads_post(f"{text} {url}"), "threads"),
    ]


def measures(text: str, url: str) -> list[intents.Measure]:
    """Return how long the post is on each network, as that network counts, the link included."""
    return [intents.measure(network, text, url) for network in NETWORKS]
