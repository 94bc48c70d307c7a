"""The Urgent Action Network: members and whom they follow, Urgent Actions, mailings and their deliveries."""

from __future__ import annotations

import secrets
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from wfr.extensions import Base, utc_now


class Frequency(StrEnum):
    """How often a member wants to be written to; each but the last also gets a digest."""

    EVERY = "every"
    AT_MOST = "at_most"
    WEEKLY = "weekly"
    MONTHLY = "monthly"
    FOLLOWING = "following"
    """Nothing but news of the cases she follows."""


def new_number() -> int:
    """Return a random number for a member: it stands in her links, and is never given twice."""
    return secrets.randbits(62) | 1


def new_salt() -> int:
    """Return a random positive number of 31 bits."""
    return secrets.randbits(31) | 1


class Member(Base):
    """An e-mail address whose owner asked to be written to, and what she asked for. Nothing says what she did.

    `languages` are in `language`, `second_language` and `third_language`, the best liked first. `at_most` is how many
    Urgent Actions a month where `frequency` is ``at_most``. `regions` and `concerns` are the numbers of
    `wfr.network.interests`; 0 means all. `links` grows when her links are replaced. Between `left_at` and the moment in
    which the last message on its way to her is settled the row stays, and nothing more is sent; then it is deleted.
    `bounces` counts mailings that came back, the last of them on `bounced_on`; it begins anew when she confirms, and
    after a time without any.
    """

    __tablename__ = "members"

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(BigInteger, unique=True, default=new_number)
    email: Mapped[str] = mapped_column(String(254), unique=True)
    country: Mapped[str] = mapped_column(String(2), default="")
    language: Mapped[str] = mapped_column(String(12), default="en")
    second_language: Mapped[str | None] = mapped_column(String(12))
    third_language: Mapped[str | None] = mapped_column(String(12))
    frequency: Mapped[str] = mapped_column(String(10), default=Frequency.EVERY)
    at_most: Mapped[int] = mapped_column(default=4)
    regions: Mapped[int] = mapped_column(default=0)
    concerns: Mapped[int] = mapped_column(default=0)
    links: Mapped[int] = mapped_column(default=1)
    bounces: Mapped[int] = mapped_column(default=0)
    bounced_on: Mapped[date | None]
    made_at: Mapped[datetime] = mapped_column(default=utc_now)
    confirmed_at: Mapped[datetime | None]
    left_at: Mapped[datetime | None]

    @property
    def languages(self) -> list[str]:
        """The languages she reads, the best liked first."""
        return [each for each in (self.language, self.second_language, self.third_language) if each]


class Follow(Base):
    """A member who asked to hear what happens to the people of a case. It ends by itself after the case has closed."""

    __tablename__ = "follows"

    member_id: Mapped[int] = mapped_column(ForeignKey("members.id", ondelete="CASCADE"), primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id", ondelete="CASCADE"), primary_key=True, index=True)
    followed_at: Mapped[datetime] = mapped_column(default=utc_now)


class SuppressedFor(StrEnum):
    """Why nothing is sent to an address any more."""

    LEFT = "left"
    BOUNCED = "bounced"


class Suppression(Base):
    """An address that nothing is sent to, as a keyed digest (`wfr.network.suppressing`): nobody can read it back."""

    __tablename__ = "suppressions"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    why: Mapped[str] = mapped_column(String(8))
    since: Mapped[date]


class RequestedMail(Base):
    """How many mails an address was sent in a day because somebody typed it into a form; forgotten after two days."""

    __tablename__ = "requested_mails"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    mails: Mapped[int] = mapped_column(default=1)


class Reminder(Base):
    """An address to be asked once whether the letter was posted, and no word of whom it was for; deleted when sent."""

    __tablename__ = "reminders"

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(String(254))
    language: Mapped[str] = mapped_column(String(12), default="en")
    pledged_on: Mapped[date]
    due_on: Mapped[date] = mapped_column(index=True)
    tries: Mapped[int] = mapped_column(default=0)
    next_try_at: Mapped[datetime | None]


class UrgentAction(Base):
    """The chain of issues about one case without a season. `number` is the UA number, such as ``UA 12/26``."""

    __tablename__ = "urgent_actions"

    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id"), unique=True)
    number: Mapped[str] = mapped_column(String(20), unique=True)
    concern: Mapped[str] = mapped_column(String(20))


class UrgentIssue(Base):
    """One issue of an Urgent Action: the first, an update, or the notice that no further action is requested.

    `ordinal` counts from 1 (First UA, Second UA). `index_number` is the document's own, such as ``AFR 57/0001/2026``.
    `outcome` says that it closes the chain; it has no `write_before` then. Until it is issued (`issued_at`) it is a
    draft of `changed_by`, whom somebody else must follow to issue it. `version` is the number of the case's version
    that it shows and `document` that version's document, as issued. `words` is all its words in lower case, to be
    searched.
    """

    __tablename__ = "urgent_issues"
    __table_args__ = (UniqueConstraint("action_id", "ordinal"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    action_id: Mapped[int] = mapped_column(ForeignKey("urgent_actions.id"))
    ordinal: Mapped[int]
    index_number: Mapped[str] = mapped_column(String(40), default="")
    outcome: Mapped[bool] = mapped_column(default=False)
    write_before: Mapped[date | None]
    issued_on: Mapped[date | None] = mapped_column(index=True)
    issued_at: Mapped[datetime | None]
    issued_by: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    changed_by: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    changed_at: Mapped[datetime] = mapped_column(default=utc_now)
    version: Mapped[int | None]
    document: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    words: Mapped[str] = mapped_column(Text, default="")


class IssueEditor(Base):
    """Who has changed an issue; none of them may issue it."""

    __tablename__ = "urgent_issue_editors"

    issue_id: Mapped[int] = mapped_column(ForeignKey("urgent_issues.id", ondelete="CASCADE"), primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), primary_key=True)


class Sort(StrEnum):
    """What sort of mailing it is, which says who gets it (`wfr.network.audience`)."""

    URGENT = "urgent"
    OUTCOME = "outcome"
    NEWS = "news"
    WEEKLY = "weekly"
    MONTHLY = "monthly"


class MailingState(StrEnum):
    """How far a mailing has come. `approved` waits for its hour; a `stopped` one may never go on (`Mailing.why`)."""

    DRAFT = "draft"
    IN_REVIEW = "in_review"
    APPROVED = "approved"
    RUNNING = "running"
    PAUSED = "paused"
    DONE = "done"
    STOPPED = "stopped"


class Mailing(Base):
    """One message to many members, each in her language. Somebody else than its editors approves it, always.

    `issue_id` is the issue that it carries, if it does; `case_id` the case whose followers hear of it. `asks` says that
    it asks readers to act: it stops when its cases cannot be acted on any more. `start_at` is the hour (UTC) it waits
    for. `why` is a word for why it is paused or stopped: ``withdrawn``, ``paused``, ``closed``, ``expired``,
    ``consent``, ``cancelled``, ``hand``, ``restored``. `occasion` names what proposed it, once each (a digest's month).
    `salt` is drawn when its deliveries are made: after a restore their ids may be given again, to other readers.
    """

    __tablename__ = "mailings"

    id: Mapped[int] = mapped_column(primary_key=True)
    sort: Mapped[str] = mapped_column(String(8))
    issue_id: Mapped[int | None] = mapped_column(ForeignKey("urgent_issues.id"), index=True)
    case_id: Mapped[int | None] = mapped_column(ForeignKey("cases.id"), index=True)
    asks: Mapped[bool] = mapped_column(default=False)
    occasion: Mapped[str | None] = mapped_column(String(40), unique=True)
    state: Mapped[str] = mapped_column(String(10), default=MailingState.DRAFT, index=True)
    revision: Mapped[int] = mapped_column(default=1)
    start_at: Mapped[datetime | None]
    begun_by: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    begun_at: Mapped[datetime] = mapped_column(default=utc_now)
    changed_at: Mapped[datetime] = mapped_column(default=utc_now)
    submitted_by: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    submitted_at: Mapped[datetime | None]
    approved_by: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    approved_at: Mapped[datetime | None]
    note: Mapped[str | None] = mapped_column(Text)
    why: Mapped[str | None] = mapped_column(String(12))
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    salt: Mapped[int] = mapped_column(default=0)


class MailingEditor(Base):
    """Who has changed a mailing; none of them may approve it."""

    __tablename__ = "mailing_editors"

    mailing_id: Mapped[int] = mapped_column(ForeignKey("mailings.id", ondelete="CASCADE"), primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), primary_key=True)


class MailingCase(Base):
    """A case that a mailing speaks of: once it is withdrawn or paused, nothing of the mailing leaves any more."""

    __tablename__ = "mailing_cases"

    mailing_id: Mapped[int] = mapped_column(ForeignKey("mailings.id", ondelete="CASCADE"), primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id"), primary_key=True, index=True)


class MailingWords(Base):
    """What a mailing says in one language.

    `words` are the desk's own, in Markdown: what stands before an Urgent Action, or the whole of a digest. `text` and
    `html` are the whole message as approved, with the marks of `wfr.network.messages` where a member's own links go;
    None until then.
    """

    __tablename__ = "mailing_words"

    mailing_id: Mapped[int] = mapped_column(ForeignKey("mailings.id", ondelete="CASCADE"), primary_key=True)
    language: Mapped[str] = mapped_column(String(12), primary_key=True)
    subject: Mapped[str] = mapped_column(String(200), default="")
    words: Mapped[str] = mapped_column(Text, default="")
    text: Mapped[str | None] = mapped_column(Text)
    html: Mapped[str | None] = mapped_column(Text)


class DeliveryState(StrEnum):
    """How far one message has come.

    A `claimed` one belongs to a worker; of one that is `sending` nobody knows whether it is out, should that worker
    die. `failed` is given up, `bounced` was refused for good or came back, `skipped` was not for sending any more:
    its reader had left, or was never to be written to again.
    """

    WAITING = "waiting"
    CLAIMED = "claimed"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"
    BOUNCED = "bounced"
    SKIPPED = "skipped"


class Delivery(Base):
    """One member's message of a mailing: made in the transaction that starts the mailing, once for each member.

    Its Message-ID follows from its id and its mailing's salt. `claim` is the worker it belongs to. `code` is the mail
    server's last answer (a number of RFC 5321) and `settled_at` when it became sent, failed, bounced or skipped. When
    the member's data are erased, or some time after (`wfr.network.forgetting`), `member_id` becomes None, and nothing
    says any more whom it was for.
    """

    __tablename__ = "deliveries"
    __table_args__ = (
        UniqueConstraint("mailing_id", "member_id"),
        Index(
            "ix_deliveries_unsettled",
            "mailing_id",
            "id",
            sqlite_where=text("settled_at IS NULL"),
            postgresql_where=text("settled_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    mailing_id: Mapped[int] = mapped_column(ForeignKey("mailings.id"))
    member_id: Mapped[int | None] = mapped_column(ForeignKey("members.id", ondelete="SET NULL"), index=True)
    language: Mapped[str] = mapped_column(String(12))
    state: Mapped[str] = mapped_column(String(8), default=DeliveryState.WAITING)
    claim: Mapped[str | None] = mapped_column(String(16))
    tries: Mapped[int] = mapped_column(default=0)
    next_try_at: Mapped[datetime | None]
    settled_at: Mapped[datetime | None]
    code: Mapped[int | None]


class MailingWorker(Base):
    """A worker that is sending, by the name in its claims, and when it last said so; one that fell silent is dead."""

    __tablename__ = "mailing_workers"

    claim: Mapped[str] = mapped_column(String(16), primary_key=True)
    seen_at: Mapped[datetime]
