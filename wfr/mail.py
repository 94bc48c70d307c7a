"""Mail: the only module that sends any. Without a mail server it is laid in a folder, where a person can read it."""

from __future__ import annotations

import hashlib
import os
import secrets
import smtplib
import ssl
from datetime import UTC, datetime
from email.utils import formataddr, make_msgid, parseaddr
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import structlog
from flask import Flask, current_app
from flask_mailman import EmailMultiAlternatives, Mail
from flask_mailman.backends.base import BaseEmailBackend
from flask_mailman.backends.smtp import EmailBackend

from wfr.config import Settings
from wfr.errors import DomainError
from wfr.extensions import settings
from wfr.text import RefusedText, clean_line

TIMEOUT_SECONDS = 10
PORTS = {"smtp": 25, "starttls": 587, "smtps": 465}

log = structlog.get_logger(__name__)


class NotSent(DomainError):
    """The mail could not be handed over; nothing else was lost."""


class Server(EmailBackend):  # type: ignore[misc]  # flask-mailman has no types
    """The mail server of MAIL_URL, whose certificate must be good; the library itself would take any for STARTTLS."""

    connection: smtplib.SMTP | None

    def open(self) -> bool:
        """Connect, encrypt and log in, as far as the address says; say whether there was no connection yet."""
        if self.connection:
            return False
        ours = settings().mail_from.rpartition("@")[2]
        place = {"host": self.host, "port": self.port, "local_hostname": ours, "timeout": self.timeout}
        if self.use_ssl:
            self.connection = smtplib.SMTP_SSL(**place, context=ssl.create_default_context())
        else:
            self.connection = smtplib.SMTP(**place)
        if self.use_tls:
            self.connection.starttls(context=ssl.create_default_context())
        if self.username:
            self.connection.login(self.username, self.password or "")
        return True

    def send_messages(self, email_messages: list[Any]) -> int:
        """Send each message, and leave no connection open whatever happens; the library closes it on success only."""
        try:
            return int(super().send_messages(email_messages))
        finally:
            if self.connection:
                self.connection.close()
                self.connection = None


class Outbox(BaseEmailBackend):  # type: ignore[misc]  # as above
    """A folder in which each mail is a file, newest last, that only its owner may read."""

    def send_messages(self, email_messages: list[Any]) -> int:
        """Write each message to a file of its own."""
        folder = Path(self.mailman.file_path)
        folder.mkdir(parents=True, exist_ok=True)
        for message in email_messages:
            lay_in_outbox(folder, message.to[0], message.message().as_bytes())
        return len(email_messages)


def lay_in_outbox(folder: Path, to: str, data: bytes) -> None:
    """Write a mail to a file of its own; its name says when, and as a keyed digest to whom."""
    name = f"{datetime.now(UTC):%Y%m%d-%H%M%S-%f}-{secrets.token_hex(3)}-{_digests(to)[0]}.eml"
    draft = folder / f".{name}"
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as handle:
        handle.write(data)
    # Whole or not at all, whatever happens to this process.
    draft.rename(folder / name)


def forget_in_outbox(email: str) -> int:
    """Delete every mail to an address from the outbox, and return how many there were."""
    folder, copies = settings().outbox, 0
    for digest in _digests(email):
        for file in folder.glob(f"*-{digest}.eml"):
            file.unlink(missing_ok=True)
            copies += 1
    return copies


def _digests(email: str) -> list[str]:
    """Return the digests that stand for an address in the names of files, by the present key and by former ones."""
    address = parseaddr(email)[1].strip().lower().encode()
    return [hashlib.blake2b(address, key=key, digest_size=8).hexdigest() for key in settings().keys("outbox")]


def new_backend() -> BaseEmailBackend:
    """Return the present app's way out, a `Server` or the `Outbox`, not yet connected."""
    return current_app.extensions["mailman"].get_connection()


def init_app(app: Flask, settings: Settings) -> None:
    """Tell `app` where its mail leaves."""
    app.config.update(_server(settings.mail_url) if settings.mail_url else {"MAIL_BACKEND": Outbox})
    app.config.update(MAIL_FILE_PATH=str(settings.outbox), MAIL_TIMEOUT=TIMEOUT_SECONDS)
    Mail(app)


def _server(address: str) -> dict[str, Any]:
    parts = urlsplit(address)
    port = parts.port or PORTS[parts.scheme]
    # A password never travels in the clear, and 587 is where STARTTLS is spoken.
    secured = parts.scheme == "starttls" or (parts.scheme == "smtp" and (bool(parts.password) or port == 587))
    return {
        "MAIL_BACKEND": Server,
        "MAIL_SERVER": parts.hostname,
        "MAIL_PORT": port,
        "MAIL_USERNAME": unquote(parts.username or "") or None,
        "MAIL_PASSWORD": unquote(parts.password or "") or None,
        "MAIL_USE_TLS": secured,
        "MAIL_USE_SSL": parts.scheme == "smtps",
    }


def send(*, to: str, subject: str, text: str, html: str | None = None) -> None:
    """Send one mail to one address. Raises `NotSent` when it could not be handed over."""
    chosen = settings()
    try:
        # Whatever a name or a subject holds, it stays on the one line of its header.
        message = EmailMultiAlternatives(
            subject=clean_line(subject),
            body=text,
            from_email=formataddr((clean_line(chosen.site_name), chosen.mail_from)),
            to=[clean_line(to)],
            headers={
                "Auto-Submitted": "auto-generated",
                "Message-ID": make_msgid(domain=chosen.mail_from.rpartition("@")[2]),
            },
        )
        if html:
            message.attach_alternative(html, "text/html")
        message.send()
    except (OSError, ValueError, RefusedText) as problem:
        # Not the address, nor the server's words, which may hold it.
        log.error("mail_not_sent", error=type(problem).__name__)
        raise NotSent("mail") from problem


def send_template(name: str, *, to: str, **context: Any) -> None:
    """Send ``emails/<name>.txt``, whose first line is the subject. Raises `NotSent`."""
    # Not Flask's render_template: a job and the shell send mail too, and have no request.
    words = current_app.jinja_env.get_template(f"emails/{name}.txt").render(**context)
    subject, _, text = words.lstrip().partition("\n")
    send(to=to, subject=subject, text=text.strip() + "\n")
