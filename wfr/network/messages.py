"""Messages: a mailing in one language is made once, with marks in it; each reader's own things only replace marks.

Building a message with the library takes about a millisecond; filling it in takes some microseconds.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate

from flask_babel import gettext as _

from wfr.errors import DomainError, Refused
from wfr.extensions import settings
from wfr.network.fitting import LONGEST_LINE, fit_html, fit_text
from wfr.network.links import LinkFor, address_before, token_maker
from wfr.network.models import MailingWords
from wfr.text import RefusedText, clean_line

LIST_NAME = "Urgent Action Network"
LIST_LABEL = "urgent-actions"

# Private-use characters cannot be typed into any form of this site, so nobody's words hold a mark.
ME_MARK = "\ue000me\ue001"
LEAVE_MARK = "\ue000leave\ue001"
_MARKS = {ME_MARK: LinkFor.ME, LEAVE_MARK: LinkFor.LEAVE}
_ANY_MARK = re.compile(f"({ME_MARK}|{LEAVE_MARK})".encode())
_LINE_END = re.compile("\r\n|[\r\v\f\x85\u2028\u2029]")
_UNFIT = re.compile("[\x00-\x08\x0e-\x1f\x7f\ud800-\udfff]")
# RFC 5322's dot-atom and a host's name: nothing in it can end a line or begin another address.
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_ADDRESS = re.compile(rf"{_ATOM}(?:\.{_ATOM})*@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*")
_LONGEST_ADDRESS = 254
_LONGEST_TOKEN = 90

TokenMaker = Callable[[int, int], str]


class UnsafeAddress(DomainError):
    """An address that no header may hold, or that not every mail server can take (RFC 6531). It is not repeated."""


@dataclass(frozen=True, slots=True)
class Reader:
    """Who gets a message: the mailing's `salt` and the delivery's id, her `number`, `links` and address."""

    salt: int
    delivery_id: int
    number: int
    links: int
    email: str


class Pattern:
    """A mailing's message in one language, ready to be filled in for each reader. It may be shared by threads."""

    def __init__(self, body: bytes) -> None:
        self._leave_page = address_before(LinkFor.LEAVE)
        self._ids = _MessageIds()
        self._makers = {purpose: token_maker(purpose) for purpose in _MARKS.values()}
        # Every second piece is a mark.
        pieces = _ANY_MARK.split(body)
        self._fixed = pieces
        self._own = [(place, _MARKS[pieces[place].decode()]) for place in range(1, len(pieces), 2)]

    def fill(self, reader: Reader) -> bytes:
        """Return the whole message (RFC 5322, each line ended by CRLF) for a reader; raises `UnsafeAddress`."""
        to = safe_address(reader.email)
        tokens = {purpose: make(reader.number, reader.links) for purpose, make in self._makers.items()}
        head = (
            f"Date: {formatdate(usegmt=True)}\r\n"
            f"To: {to}\r\n"
            f"Message-ID: {self._ids.of(reader.salt, reader.delivery_id)}\r\n"
            f"List-Unsubscribe: <{self._leave_page}{tokens[LinkFor.LEAVE]}>\r\n"
        )
        return self._joined(head, {purpose: token.encode("ascii") for purpose, token in tokens.items()})

    def specimen(self, email: str) -> bytes:
        """Return the message for somebody at the desk to look at: its personal links lead nowhere.

        Raises `UnsafeAddress`.
        """
        head = f"Date: {formatdate(usegmt=True)}\r\nTo: {safe_address(email)}\r\n"
        return self._joined(head, dict.fromkeys(self._makers, b"specimen"))

    def _joined(self, head: str, own: dict[LinkFor, bytes]) -> bytes:
        pieces = self._fixed.copy()
        for place, purpose in self._own:
            pieces[place] = own[purpose]
        return head.encode("ascii") + b"".join(pieces)


def pattern_of(mailing_id: int, words: MailingWords) -> Pattern:
    """Return the pattern of a mailing's frozen words.

    Raises `Refused` for words that no message can carry, `ValueError` for a mailing that is not frozen yet.
    """
    return _pattern(words, feedback_id=f"{mailing_id}:{words.language}:mailing:{LIST_LABEL}")


def specimen_of(words: MailingWords, email: str) -> bytes:
    """Return a mailing's message for somebody at the desk, marked as a test; raises as `pattern_of` and `fill` do."""
    subject = _("[Test] %(subject)s", subject=words.subject)
    marked = MailingWords(language=words.language, subject=subject, text=words.text, html=words.html)
    return _pattern(marked, feedback_id=None).specimen(email)


def message_id(salt: int, delivery_id: int) -> str:
    """Return the Message-ID of a delivery, in its angle brackets: always the same, and it tells nothing of anybody.

    `salt` is the mailing's.
    """
    return _MessageIds().of(salt, delivery_id)


def safe_address(email: str) -> str:
    """Return an address that may stand in a header as it is; raises `UnsafeAddress`."""
    if len(email) > _LONGEST_ADDRESS or not _ADDRESS.fullmatch(email):
        raise UnsafeAddress("address")
    return email


class _MessageIds:
    """Makes Message-IDs. The key is looked up once: it may lie in a file."""

    def __init__(self) -> None:
        self._key = settings().key("message-id")
        self._domain = settings().mail_from.rpartition("@")[2]

    def of(self, salt: int, delivery_id: int) -> str:
        digest = hmac.digest(self._key, f"{salt}:{delivery_id}".encode(), hashlib.sha256)
        return f"<{digest[:16].hex()}@{self._domain}>"


def _pattern(words: MailingWords, feedback_id: str | None) -> Pattern:
    if words.text is None or words.html is None:
        raise ValueError(f"mailing {words.mailing_id} is not frozen")
    message = EmailMessage(policy=SMTP)
    try:
        _set_headers(message, words, feedback_id)
    except RefusedText as problem:
        raise Refused(str(problem)) from problem
    # What is not ASCII goes as it is (8BITMIME, RFC 6152): then a mark is the same bytes in every part.
    message.set_content(fit_text(_fit(words.text)), charset="utf-8", cte="8bit", params={"format": "flowed"})
    message.add_alternative(fit_html(_fit(words.html)), subtype="html", charset="utf-8", cte="8bit")
    message["Content-Language"] = words.language
    body = message.as_bytes()
    if max(map(len, _ANY_MARK.sub(b"x" * _LONGEST_TOKEN, body).split(b"\r\n"))) > LONGEST_LINE:
        raise Refused(_("A link in it is too long for a mail. Use a shorter one."))
    return Pattern(body)


def _set_headers(message: EmailMessage, words: MailingWords, feedback_id: str | None) -> None:
    chosen = settings()
    local, _at, domain = chosen.mail_from.rpartition("@")
    message["From"] = Address(display_name=_header_words(chosen.site_name), username=local, domain=domain)
    message["Subject"] = _header_words(words.subject)
    message["List-Id"] = f"{LIST_NAME} <{LIST_LABEL}.{domain}>"
    message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message["Auto-Submitted"] = "auto-generated"
    message["Precedence"] = "bulk"
    if feedback_id:
        message["Feedback-ID"] = feedback_id


def _header_words(words: str) -> str:
    """Return words for a header.

    The library decodes what looks like an encoded word (RFC 2047) before it writes it: a line end in there would begin
    a header of its own.
    """
    return clean_line(words).replace("=?", "= ?")


def _fit(words: str) -> str:
    """Return words without what would break a line or a part."""
    return _UNFIT.sub("", _LINE_END.sub("\n", words))
