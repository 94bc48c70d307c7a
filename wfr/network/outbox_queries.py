"""The outbox as the desk reads it: the mails in its folder, the newest first. Their names begin with their moment."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from datetime import datetime
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from heapq import nlargest

from wfr.errors import NoSuchThing
from wfr.extensions import settings

A_PAGE = 50
_HEAD_BYTES = 16_384
# No slash and no dot in front: whatever a request asks for, it stays in the folder.
_NAME = re.compile(r"[0-9A-Za-z][0-9A-Za-z_-]{0,120}\.eml")
_MOMENT = "%Y%m%d-%H%M%S"


@dataclass(frozen=True, slots=True)
class OutboxLine:
    """One mail in the list. `laid_at` is UTC; None where the name of the file does not say it."""

    name: str
    laid_at: datetime | None
    to: str
    subject: str


@dataclass(frozen=True, slots=True)
class OutboxPage:
    """A page of the list, and the name that the next one comes before; None on the last."""

    lines: list[OutboxLine]
    total: int
    older: str | None


@dataclass(frozen=True, slots=True)
class OutboxMail:
    """One mail, read as a mail program reads it. `html` is None where it has text only."""

    line: OutboxLine
    headers: list[tuple[str, str]]
    text: str
    html: str | None
    size: int


def outbox_page(before: str | None = None) -> OutboxPage:
    """Return the newest mails whose names come before `before`, or the newest of all.

    Of the many that are not on the page only the names are read.
    """
    names = _names()
    wanted = nlargest(A_PAGE + 1, (name for name in names if before is None or name < before))
    lines = [line for name in wanted[:A_PAGE] if (line := _line(name)) is not None]
    return OutboxPage(lines, len(names), wanted[A_PAGE - 1] if len(wanted) > A_PAGE else None)


def outbox_mail(name: str) -> OutboxMail:
    """Return one mail; raises `NoSuchThing`."""
    raw = outbox_file(name)
    message = _parsed(raw)
    html = _body(message, "html")
    return OutboxMail(
        line=_line_of(name, message),
        headers=[(header, str(value)) for header, value in message.items()],
        text=_body(message, "plain") or "",
        html=html,
        size=len(raw),
    )


def outbox_file(name: str) -> bytes:
    """Return one mail as it lies in the folder; raises `NoSuchThing`."""
    found = _read(name)
    if found is None:
        raise NoSuchThing("mail")
    return found


def _names() -> list[str]:
    try:
        names = os.listdir(settings().outbox)  # noqa: PTH208 -- 165,000 of them, and no Path is needed
        return [name for name in names if name.endswith(".eml") and name[0] != "."]
    except FileNotFoundError:
        return []


def _read(name: str, most: int = -1) -> bytes | None:
    """Return what a file of the folder begins with, or all of it; None for what is no mail in it, or is gone."""
    if not _NAME.fullmatch(name):
        return None
    try:
        # Not by a link either, should somebody have laid one there.
        with os.fdopen(os.open(settings().outbox / name, os.O_RDONLY | os.O_NOFOLLOW), "rb") as file:
            return file.read(most)
    except OSError:
        return None


def _line(name: str) -> OutboxLine | None:
    head = _read(name, _HEAD_BYTES)
    return None if head is None else _line_of(name, _parsed(head, headers_only=True))


def _line_of(name: str, message: EmailMessage) -> OutboxLine:
    return OutboxLine(name, _moment(name), str(message["To"] or ""), str(message["Subject"] or ""))


def _moment(name: str) -> datetime | None:
    try:
        return datetime.strptime(name[:15], _MOMENT)  # noqa: DTZ007 -- UTC without a zone, as everywhere here
    except ValueError:
        return None


def _parsed(raw: bytes, *, headers_only: bool = False) -> EmailMessage:
    return BytesParser(policy=policy.default).parsebytes(raw, headersonly=headers_only)


def _body(message: EmailMessage, sort: str) -> str | None:
    part = message.get_body((sort,))
    return None if part is None else str(part.get_content())
