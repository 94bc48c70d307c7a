"""Mail that comes back: each message has a return address of its own, so what comes back says which one it was.

The variable envelope return path (VERP) carries the mailing's salt, the delivery's id and a code that only we can make;
what came back is read as a delivery status notification (RFC 3464).
"""

from __future__ import annotations

import hashlib
import hmac
import mailbox
import re
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from email.message import Message
from email.parser import BytesHeaderParser
from typing import Any

import structlog
from sqlalchemy import select

from wfr import telemetry
from wfr.carrier import blames_reader
from wfr.cases.queries import today
from wfr.errors import NoSuchThing
from wfr.extensions import AnySession, settings, transaction, utc_now
from wfr.mail import forget_in_outbox
from wfr.network.leaving import erase_member
from wfr.network.models import Delivery, DeliveryState, Mailing, Member, SuppressedFor
from wfr.network.suppressing import release, suppressed_for
from wfr.staff.auditing import digest, record
from wfr.staff.models import JOB, SHELL

LARGEST_HEAD = 64 * 1024
LONGEST = 2 * LARGEST_HEAD
"""How many bytes of what came back are read: the report stands before the message that it returns."""
MOST_AT_ONCE = 1000
SECONDS_A_RUN = 10.0
"""How long the folder is read at a time: anybody may write to the address."""
REMEMBERED = timedelta(days=90)
"""How long a bounce counts against an address: what comes back so rarely is no dead mailbox."""
_MOST_PARTS = 8
_MOST_BLOCKS = 20
_LONGEST_TYPE = 1000
_CODE_LETTERS = 12
_SALT_LETTERS = 8
_RETURNED_TO = ("To", "Delivered-To", "X-Original-To", "Envelope-To")
_OVER = (DeliveryState.BOUNCED, DeliveryState.SKIPPED)

log = structlog.get_logger(__name__)


def bounce_address(salt: int, delivery_id: int) -> str:
    """Return the envelope sender of a delivery, by its mailing's salt: what cannot be delivered comes back there."""
    return bounce_addresses()(salt, delivery_id)


def bounce_addresses() -> Callable[[int, int], str]:
    """Return what makes a delivery's envelope sender, for who needs many."""
    chosen = settings()
    if chosen.bounce_address is None:
        return lambda _salt, _delivery_id: chosen.mail_from
    local, _, host = chosen.bounce_address.rpartition("@")
    key = chosen.key("bounce")
    return lambda salt, delivery_id: f"{local}+{_signed(key, _told(salt, delivery_id))}@{host}"


def take_bounce(raw: bytes) -> bool:
    """Read a mail that came back and do what follows; say whether it told of a delivery that failed for good.

    Whatever is not such a report, or not of a message of ours, changes nothing. Raises `DatabaseAway`.
    """
    try:
        told = _read(raw[:LONGEST])
    except Exception as problem:
        # Anybody may write to the address, and the library trips over some of what they do.
        log.warning("bounce_not_understood", error=type(problem).__name__)
        return False
    if told is None:
        return False
    (salt, delivery_id), whom = told
    with transaction() as session:
        delivery, member = _lock(session, delivery_id)
        if delivery is None or delivery.state in _OVER:
            return False
        if session.get_one(Mailing, delivery.mailing_id).salt != salt:
            # From before a restore: the id is another reader's now.
            return False
        erased = note_bounce(session, delivery, member, whom=whom, code=None)
    _tell(erased)
    return True


def bounce_refused(claim: str, delivery_id: int, code: int) -> None:
    """Note that the mail server knows no such reader as the one whose message a worker has in its hands."""
    with transaction() as session:
        delivery, member = _lock(session, delivery_id)
        if delivery is None or delivery.claim != claim or delivery.state != DeliveryState.SENDING:
            return
        erased = note_bounce(session, delivery, member, whom=True, code=code)
    _tell(erased)


def note_bounce(
    session: AnySession, delivery: Delivery, member: Member | None, *, whom: bool, code: int | None
) -> str | None:
    """Settle a delivery that failed for good, inside the caller's transaction, which has locked it and its member.

    Where it is the reader's address (`whom`) it counts against her; with the last one that is allowed she is erased,
    and nothing is sent to that address again. Returns the address then, for the outbox to forget after the commit.
    """
    delivery.state = DeliveryState.BOUNCED if whom else DeliveryState.FAILED
    delivery.claim, delivery.next_try_at, delivery.settled_at = None, None, utc_now()
    delivery.code = code or delivery.code
    if not whom or member is None or member.left_at is not None:
        return None
    forgotten = member.bounced_on is None or member.bounced_on < today() - REMEMBERED
    member.bounces, member.bounced_on = 1 if forgotten else member.bounces + 1, today()
    if member.bounces < settings().mail_bounces:
        return None
    member_id, email, bounces = member.id, member.email, member.bounces
    erase_member(session, member, SuppressedFor.BOUNCED)
    record(session, JOB, "member.bounced", f"member:{member_id}", after={"bounces": bounces})
    return email


def read_bounce_folder() -> int:
    """Read and delete what lies in the Maildir folder of the settings; return how many failures it told of.

    It takes so many mails and so much time; the next run goes on.
    """
    folder = settings().bounce_folder
    if folder is None or not folder.is_dir():
        return 0
    box = mailbox.Maildir(folder, create=False)
    found, ends = 0, time.monotonic() + SECONDS_A_RUN
    for name, raw in _files(box):
        found += take_bounce(raw)
        box.discard(name)
        if time.monotonic() > ends:
            break
    if found:
        log.info("bounces_read", failures=found)
    return found


def release_address(email: str) -> None:
    """Let somebody be written to again whose mail came back; raises `NoSuchThing` for any other address."""
    with transaction() as session:
        if suppressed_for(session, email) is not SuppressedFor.BOUNCED:
            raise NoSuchThing("address that nothing is sent to because mail came back from it")
        release(session, email)
        record(session, SHELL, "address.released", "suppression", after={"address": digest(email.strip().lower())})


def _lock(session: AnySession, delivery_id: int) -> tuple[Delivery | None, Member | None]:
    """Return a delivery and its member, both locked: the member first, as who leaves locks her and then all of hers."""
    member_id = session.scalar(select(Delivery.member_id).where(Delivery.id == delivery_id))
    locked: dict[str, Any] = {"with_for_update": True, "populate_existing": True}
    member = session.get(Member, member_id, **locked) if member_id is not None else None
    return session.get(Delivery, delivery_id, **locked), member


def _files(box: mailbox.Maildir) -> Iterator[tuple[str, bytes]]:
    for name in sorted(box.keys())[:MOST_AT_ONCE]:
        try:
            with box.get_file(name) as file:
                raw = file.read(LONGEST)
        except (OSError, KeyError) as problem:
            log.warning("bounce_not_read", error=type(problem).__name__)
            continue
        yield name, raw


def _read(raw: bytes) -> tuple[tuple[int, int], bool] | None:
    """Return the salt and id of what a report is about, and whether its reader is at fault; None for anything else.

    Only what our own address proves is read further than its header, and nothing is read as deep as it is nested.
    """
    head, _, rest = raw.replace(b"\r\n", b"\n").partition(b"\n\n")
    if len(head) > LARGEST_HEAD:
        return None
    header = BytesHeaderParser().parsebytes(head)
    about = _delivery_of(header)
    statuses = list(_failures(header, rest)) if about is not None else []
    if about is None or not statuses:
        return None
    return about, all(map(blames_reader, statuses))


def _failures(header: Message, rest: bytes) -> Iterator[str]:
    """Yield the status of each recipient whom a report says the mail has failed to reach (RFC 3464)."""
    boundary = header.get_boundary("") if len(str(header.get("Content-Type", ""))) <= _LONGEST_TYPE else ""
    if header.get_content_maintype() != "multipart" or not boundary:
        return
    for part in (b"\n" + rest).split(b"\n--" + boundary.encode("ascii", "ignore"), _MOST_PARTS)[1:_MOST_PARTS]:
        kind, *blocks = re.split(rb"\n[ \t]*\n", part.partition(b"\n")[2], maxsplit=_MOST_BLOCKS)
        if not re.search(rb"(?im)^content-type:\s*message/delivery-status\b", kind):
            continue
        for block in map(BytesHeaderParser().parsebytes, blocks):
            if str(block.get("Action", "")).strip().lower() == "failed":
                yield (str(block.get("Status", "")).split() or [""])[0]


def _delivery_of(message: Message) -> tuple[int, int] | None:
    address = settings().bounce_address
    if address is None:
        return None
    local, _, host = address.rpartition("@")
    ours = rf"([0-9a-f]{{{_CODE_LETTERS}}})([0-9a-f]{{{_SALT_LETTERS + 1},{_SALT_LETTERS + 8}}})"
    pattern = re.compile(
        rf"(?<![\w.+-]){re.escape(local)}\+{ours}@{re.escape(host)}(?![\w.-])",
        re.IGNORECASE,
    )
    headers = (str(value) for name in _RETURNED_TO for value in message.get_all(name, ()))
    for code, told in (found.groups() for header in headers for found in pattern.finditer(header.lower())):
        if any(hmac.compare_digest(_signed(key, told), code + told) for key in settings().keys("bounce")):
            return int(told[:_SALT_LETTERS], 16), int(told[_SALT_LETTERS:], 16)
    return None


def _told(salt: int, delivery_id: int) -> str:
    return f"{salt:0{_SALT_LETTERS}x}{delivery_id:x}"


def _signed(key: bytes, told: str) -> str:
    """Return words after a code that proves we have made them; letters and digits that survive any case."""
    return hmac.digest(key, told.encode(), hashlib.sha256).hex()[:_CODE_LETTERS] + told


def _tell(erased: str | None) -> None:
    telemetry.count("mailing", "bounced")
    if erased is not None:
        forget_in_outbox(erased)
        telemetry.count("member", "bounced")
