"""The mails that an app has laid in its outbox, read as a person would."""

from __future__ import annotations

import re
from email import message_from_bytes, policy
from email.message import EmailMessage

from flask import Flask

from wfr.config import Settings


def mails(app: Flask) -> list[EmailMessage]:
    """Return every mail in the order in which it left."""
    chosen: Settings = app.extensions["wfr.settings"]
    found = [
        message_from_bytes(file.read_bytes(), policy=policy.default) for file in sorted(chosen.outbox.glob("*.eml"))
    ]
    return [message for message in found if isinstance(message, EmailMessage)]


def links_in(mail: EmailMessage, page: str) -> list[str]:
    """Return the paths of the links to one of the teachers' pages."""
    return re.findall(rf"https?://[^/\s]+(/schools/{page}/\S+)", mail.get_content())
