"""Share links and what came of them; the campaign's account on X, its posts and what they cost."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from wfr.extensions import Base, utc_now

MICROS = 1_000_000
"""Prices are kept in millionths of a US dollar."""


class ShareLink(Base):
    """A share link that somebody has opened or acted through: what its code says, and how often it was opened.

    `visits` were people, as far as a request tells; `previews` were programs that looked for words and a picture.
    `sharer` is the random number of `wfr.share.codes`, a visitor's tied to nobody. Nothing says who opened it.
    """

    __tablename__ = "share_links"
    __table_args__ = (UniqueConstraint("case_id", "channel", "sharer"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id"), index=True)
    channel: Mapped[str] = mapped_column(String(10))
    sharer: Mapped[int] = mapped_column(BigInteger, index=True)
    visits: Mapped[int] = mapped_column(default=0)
    previews: Mapped[int] = mapped_column(default=0)
    made_at: Mapped[datetime] = mapped_column(default=utc_now)


class SharePledge(Base):
    """A pledge that came of a share link."""

    __tablename__ = "share_pledges"

    pledge_id: Mapped[UUID] = mapped_column(ForeignKey("pledges.id"), primary_key=True)
    link_id: Mapped[int] = mapped_column(ForeignKey("share_links.id"), index=True)


class AccountState(StrEnum):
    """Whether the campaign's account can be posted with."""

    CONNECTED = "connected"
    EXPIRED = "expired"
    REVOKED = "revoked"


class XAccount(Base):
    """The campaign's account on X, as a coordinator connected it; the newest row is the one in use.

    `access` and `refresh` are sealed (`wfr.sealing`, purpose ``x-account``) and empty once it is revoked or expired.
    `refreshing_since` is set while one process trades the refresh token for a new one: X takes each only once.
    `paused_until` is when X lets us post again; `problem` says in a word why nothing goes out.
    """

    __tablename__ = "x_accounts"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[str] = mapped_column(String(24))
    handle: Mapped[str] = mapped_column(String(40))
    name: Mapped[str] = mapped_column(String(100))
    state: Mapped[str] = mapped_column(String(10), default=AccountState.CONNECTED)
    access: Mapped[str] = mapped_column(Text, default="")
    refresh: Mapped[str] = mapped_column(Text, default="")
    expires_at: Mapped[datetime]
    scopes: Mapped[str] = mapped_column(String(200), default="")
    refreshing_since: Mapped[datetime | None]
    paused_until: Mapped[datetime | None]
    problem: Mapped[str | None] = mapped_column(String(40))
    connected_by: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    connected_at: Mapped[datetime] = mapped_column(default=utc_now)
    ended_at: Mapped[datetime | None]


class XConnecting(Base):
    """A coordinator on the way to X and back: good for one callback, from the same session, for a few minutes.

    `state` is the digest of what X sends back; `verifier` is sealed (purpose ``x-connecting``). `session` is the digest
    of the desk session that began it: a callback in another browser links nothing.
    """

    __tablename__ = "x_connectings"

    state: Mapped[str] = mapped_column(String(64), primary_key=True)
    verifier: Mapped[str] = mapped_column(Text)
    session: Mapped[str] = mapped_column(String(64))
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    made_at: Mapped[datetime] = mapped_column(default=utc_now)
    used_at: Mapped[datetime | None]


class PostState(StrEnum):
    """How far a campaign post has come.

    `approved` waits for its hour and the queue; `sending` may have gone out; `held` waits for a person; `would_send` is
    where it ends where nothing may leave: no app at X is set, a demonstration, an address that nobody else can open.
    """

    DRAFT = "draft"
    IN_REVIEW = "in_review"
    APPROVED = "approved"
    SENDING = "sending"
    SENT = "sent"
    HELD = "held"
    CANCELLED = "cancelled"
    WOULD_SEND = "would_send"


class LinkPlace(StrEnum):
    """Where the post's share link stands: in the post, in its first reply, or in the account's profile alone."""

    POST = "post"
    REPLY = "reply"
    PROFILE = "profile"


class CampaignPost(Base):
    """A post of the campaign's account on X. `case_id` is None for one about the season.

    `words` go without the link, `reply_words` before the link where it stands in the first reply. `sharer` is the
    number of the post's own share link (channel ``campaign``; of a season's post the home page is meant, uncounted).
    `occasion` names the milestone that proposed the draft, once each. `tries` counts attempts to send. `tried_at` is
    when X was asked to post while we do not know what came of it. `next_try_at` is when the next try may be, and of a
    post that is being sent, until when it belongs to its worker; `why` is the word of what is in the way. `media_id` is
    what X calls its picture, and `media_card` the digest of the card that was handed over as such. `x_id` and
    `reply_x_id` are what X calls the posts. `numbers` are what X last said of it, at `numbers_at`.
    """

    __tablename__ = "campaign_posts"

    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int | None] = mapped_column(ForeignKey("cases.id"), index=True)
    language: Mapped[str] = mapped_column(String(12), default="en")
    words: Mapped[str] = mapped_column(Text, default="")
    reply_words: Mapped[str] = mapped_column(Text, default="")
    link_in: Mapped[str] = mapped_column(String(8), default=LinkPlace.REPLY)
    card: Mapped[bool] = mapped_column(default=True)
    card_alt: Mapped[str] = mapped_column(Text, default="")
    sharer: Mapped[int] = mapped_column(BigInteger, unique=True)
    occasion: Mapped[str | None] = mapped_column(String(60), unique=True)
    state: Mapped[str] = mapped_column(String(10), default=PostState.DRAFT, index=True)
    revision: Mapped[int] = mapped_column(default=1)
    publish_at: Mapped[datetime | None]
    begun_by: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    begun_at: Mapped[datetime] = mapped_column(default=utc_now)
    changed_at: Mapped[datetime] = mapped_column(default=utc_now)
    submitted_by: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    submitted_at: Mapped[datetime | None]
    approved_by: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    approved_at: Mapped[datetime | None]
    note: Mapped[str | None] = mapped_column(Text)
    tries: Mapped[int] = mapped_column(default=0)
    tried_at: Mapped[datetime | None]
    next_try_at: Mapped[datetime | None]
    why: Mapped[str | None] = mapped_column(String(40))
    media_id: Mapped[str | None] = mapped_column(String(40))
    media_card: Mapped[str | None] = mapped_column(String(16))
    x_account_id: Mapped[int | None] = mapped_column(ForeignKey("x_accounts.id"))
    x_id: Mapped[str | None] = mapped_column(String(24))
    reply_x_id: Mapped[str | None] = mapped_column(String(24))
    sent_at: Mapped[datetime | None]
    numbers_at: Mapped[datetime | None]
    likes: Mapped[int | None]
    reposts: Mapped[int | None]
    replies: Mapped[int | None]
    shown: Mapped[int | None] = mapped_column(BigInteger)


class PostEditor(Base):
    """Who has changed a campaign post; none of them may approve it."""

    __tablename__ = "campaign_post_editors"

    post_id: Mapped[int] = mapped_column(ForeignKey("campaign_posts.id", ondelete="CASCADE"), primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), primary_key=True)


class XCharge(Base):
    """What one request to X cost, as our settings have its price; entered with what the request did.

    `micros` are millionths of a US dollar, `what` is ``post``, ``post_with_link``, ``media`` or ``read``.
    """

    __tablename__ = "x_charges"

    id: Mapped[int] = mapped_column(primary_key=True)
    post_id: Mapped[int | None] = mapped_column(ForeignKey("campaign_posts.id"), index=True)
    what: Mapped[str] = mapped_column(String(20))
    micros: Mapped[int] = mapped_column(BigInteger)
    charged_at: Mapped[datetime] = mapped_column(default=utc_now, index=True)
