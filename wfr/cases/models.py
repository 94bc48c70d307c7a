"""Seasons, cases and everything a visitor reads about them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, ForeignKey, LargeBinary, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from wfr.extensions import Base

PHOTOGRAPH_WIDTHS = (320, 640, 1280)
"""How wide (pixels) a photograph's files are; none is wider than the upload was."""


class Kind(StrEnum):
    """A kind of action: what a visitor can do for a case."""

    LETTER = "letter"
    EMAIL = "email"
    POST = "post"
    SOLIDARITY = "solidarity"


class SeasonState(StrEnum):
    """Where a season stands on a given day; derived from its dates, never stored."""

    COMING = "coming"
    OPEN = "open"
    CLOSED = "closed"


class CaseStatus(StrEnum):
    """Where a case stands with visitors, who never see a draft: a case of which no version was published yet."""

    DRAFT = "draft"
    PUBLISHED = "published"
    PAUSED = "paused"
    CLOSED = "closed"
    WITHDRAWN = "withdrawn"


class VersionState(StrEnum):
    """How far a version of a case has come. All but a draft are frozen: a change begins the next version."""

    DRAFT = "draft"
    IN_REVIEW = "in_review"
    RETURNED = "returned"
    APPROVED = "approved"
    PUBLISHED = "published"


class Consenter(StrEnum):
    """Who agreed that the campaign speaks of somebody."""

    PERSON = "person"
    FAMILY = "family"
    LAWYER = "lawyer"


class StoryState(StrEnum):
    """How far a success story has come."""

    DRAFT = "draft"
    IN_REVIEW = "in_review"
    PUBLISHED = "published"


class Standing(StrEnum):
    """What a visitor can do about a case today: its own status, its deadline and its season in one word."""

    OPEN = "open"
    COMING = "coming"
    PAUSED = "paused"
    EXPIRED = "expired"
    CLOSED = "closed"
    WITHDRAWN = "withdrawn"


class UpdateKind(StrEnum):
    """What sort of news a `CaseUpdate` brings."""

    NEWS = "news"
    GOOD_NEWS = "good_news"
    OUTCOME = "outcome"


class Installation(Base):
    """The one row that says what this database is for. A demonstration stays one for ever."""

    __tablename__ = "installation"

    id: Mapped[int] = mapped_column(primary_key=True, default=1)
    demonstration: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(default=lambda: datetime.now(UTC).replace(tzinfo=None))


class Season(Base):
    """One winter of Write for Rights. All dates are calendar days in UTC, the last one included.

    `changed_at` is when the desk changed it last: what the desk wrote, the demonstration's files leave alone.
    """

    __tablename__ = "seasons"

    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(String(40), unique=True)
    name: Mapped[str] = mapped_column(String(120))
    opens: Mapped[date]
    closes: Mapped[date]
    key_date: Mapped[date]
    reports_due: Mapped[date]
    goal: Mapped[int | None]
    letters_collected_at: Mapped[str | None] = mapped_column(Text)
    changed_at: Mapped[datetime | None]

    cases: Mapped[list[Case]] = relationship(back_populates="season", order_by="Case.position")

    def state(self, today: date) -> SeasonState:
        """Return whether the season is coming, open or closed on `today`."""
        if today < self.opens:
            return SeasonState.COMING
        return SeasonState.OPEN if today <= self.closes else SeasonState.CLOSED

    def days_to_key_date(self, today: date) -> int:
        """Return the days left until Human Rights Day; negative when it has passed."""
        return (self.key_date - today).days

    def accepts_reports(self, today: date) -> bool:
        """Say whether "I've posted it" is still open: paper may arrive after the season has closed."""
        return self.opens <= today <= self.reports_due


class Case(Base):
    """A person or community whose rights are abused, and what can be done for them.

    What visitors read of it is the version published last; `status`, `close_at`, `consent_ends` and what follows them
    are no part of a version. `schools`, `feeds` and `on_x` say whether the consent covers classes of pupils, feeds and
    other sites, and the campaign's posts on X. `status_reason` says why it was paused, closed or withdrawn, and is the
    desk's alone; `return_asked_by` is the first of the two people that it takes to bring a withdrawn case back.
    """

    __tablename__ = "cases"

    id: Mapped[int] = mapped_column(primary_key=True)
    season_id: Mapped[int | None] = mapped_column(ForeignKey("seasons.id"), index=True)
    slug: Mapped[str] = mapped_column(String(80), unique=True)
    name: Mapped[str] = mapped_column(String(160))
    country: Mapped[str] = mapped_column(String(2))
    status: Mapped[str] = mapped_column(String(12), default=CaseStatus.DRAFT)
    position: Mapped[int] = mapped_column(default=0)
    deadline: Mapped[date | None]
    kinds: Mapped[list[str]] = mapped_column(JSON, default=list)
    pattern: Mapped[str] = mapped_column(String(20), default="waves")
    colours: Mapped[str] = mapped_column(String(20), default="teal")
    photograph: Mapped[str | None] = mapped_column(String(64))
    photograph_credit: Mapped[str | None] = mapped_column(String(200))
    as_it_stood: Mapped[date | None]
    close_at: Mapped[datetime | None]
    consent_ends: Mapped[date | None]
    schools: Mapped[bool] = mapped_column(default=False)
    feeds: Mapped[bool] = mapped_column(default=False)
    on_x: Mapped[bool] = mapped_column(default=False)
    status_reason: Mapped[str | None] = mapped_column(Text)
    status_by: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    status_at: Mapped[datetime | None]
    return_asked_by: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))

    season: Mapped[Season | None] = relationship(back_populates="cases")
    texts: Mapped[list[CaseText]] = relationship(back_populates="case", cascade="all, delete-orphan")
    targets: Mapped[list[Target]] = relationship(
        back_populates="case", cascade="all, delete-orphan", order_by="Target.position"
    )
    updates: Mapped[list[CaseUpdate]] = relationship(
        back_populates="case", cascade="all, delete-orphan", order_by="CaseUpdate.dated"
    )
    sources: Mapped[list[Source]] = relationship(back_populates="case", cascade="all, delete-orphan")

    def standing(self, today: date) -> Standing:
        """Say what a visitor can do about this case on `today`.

        A case without a season (an Urgent Action) is open from its publication until its deadline.
        Drafts have no standing with visitors: callers filter them out before they ask.
        """
        by_status = {
            CaseStatus.WITHDRAWN: Standing.WITHDRAWN,
            CaseStatus.PAUSED: Standing.PAUSED,
            CaseStatus.CLOSED: Standing.CLOSED,
        }.get(CaseStatus(self.status))
        if by_status:
            return by_status
        if not self.agreed(today):
            # The job that pauses it may be late; what somebody no longer agrees to must not be.
            return Standing.PAUSED
        season_state = self.season.state(today) if self.season else SeasonState.OPEN
        if season_state is not SeasonState.OPEN:
            return Standing(season_state.value)
        if self.deadline and today > self.deadline:
            return Standing.EXPIRED
        return Standing.OPEN

    def offers(self, kind: Kind) -> bool:
        """Say whether this kind of action is offered for this case at all."""
        return kind.value in self.kinds

    def for_schools(self, today: date) -> bool:
        """Say whether pupils may write for this case on `today`: a letter, or a card to the person."""
        offered = any(self.offers(kind) and self.target(kind) for kind in (Kind.LETTER, Kind.SOLIDARITY))
        return self.schools and offered and self.standing(today) is Standing.OPEN

    def for_feeds(self, today: date) -> bool:
        """Say whether feeds, other sites and networks may be shown this case on `today`.

        Its consent covers them and lasts, and it is neither withdrawn nor paused: what is being checked goes nowhere.
        """
        gone = (Standing.WITHDRAWN, Standing.PAUSED)
        return self.feeds and self.agreed(today) and self.standing(today) not in gone

    def shareable(self, today: date) -> bool:
        """Say whether visitors are offered to pass this case on: others may be shown it, and it is or will be open."""
        return self.for_feeds(today) and self.standing(today) in (Standing.OPEN, Standing.COMING)

    def agreed(self, today: date) -> bool:
        """Say whether the consent still lasts on `today`; a demonstration's case has none, and no end."""
        return not (self.consent_ends and today > self.consent_ends)

    def text(self, language: str) -> CaseText:
        """Return the words in `language`, or in English, or in whatever language there is.

        Raises `LookupError` for a case without any words.
        """
        by_language = {text.language: text for text in self.texts}
        for candidate in (language, "en", *by_language):
            if candidate in by_language:
                return by_language[candidate]
        raise LookupError(f"case {self.slug} has no words in any language")

    def target(self, kind: Kind) -> Target | None:
        """Return the first target that this kind of action can reach, or none."""
        return next((target for target in self.targets if target.reachable_by(kind)), None)

    def updates_in(self, language: str) -> Sequence[CaseUpdate]:
        """Return the updates in `language`, oldest first; in English where there are none."""
        mine = [update for update in self.updates if update.language == language]
        return mine or [update for update in self.updates if update.language == "en"]


class CaseText(Base):
    """A case's words in one language.

    `story`, `ask` and `solidarity_guidance` are Markdown. `story` and `ask` may carry source tags
    such as ``[I1]`` or ``[I1, I3]`` after a sentence; visitors never see them. `letter`, `email_body`, `post` and
    `solidarity_message` may hold the placeholders of `wfr.letters.merging.PLACEHOLDERS` only. `why_not` says, per
    kind that is not offered, why not. `share` has the words with which visitors pass the case on, per channel of
    `wfr.intents.CHANNELS`, and under `any` those of every channel that has none of its own.
    """

    __tablename__ = "case_texts"
    __table_args__ = (UniqueConstraint("case_id", "language"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id", ondelete="CASCADE"))
    language: Mapped[str] = mapped_column(String(12))
    headline: Mapped[str] = mapped_column(String(200))
    summary: Mapped[str] = mapped_column(Text)
    story: Mapped[str] = mapped_column(Text)
    ask: Mapped[str] = mapped_column(Text)
    letter: Mapped[str] = mapped_column(Text, default="")
    letter_close: Mapped[str] = mapped_column(String(120), default="Yours sincerely,")
    email_subject: Mapped[str] = mapped_column(String(200), default="")
    email_body: Mapped[str] = mapped_column(Text, default="")
    post: Mapped[str] = mapped_column(Text, default="")
    solidarity_message: Mapped[str] = mapped_column(Text, default="")
    solidarity_guidance: Mapped[str] = mapped_column(Text, default="")
    dos: Mapped[list[str]] = mapped_column(JSON, default=list)
    donts: Mapped[list[str]] = mapped_column(JSON, default=list)
    content_note: Mapped[str | None] = mapped_column(Text)
    why_not: Mapped[dict[str, str]] = mapped_column(JSON, default=dict)
    share: Mapped[dict[str, str]] = mapped_column(JSON, default=dict)
    photograph_alt: Mapped[str] = mapped_column(String(300), default="")

    case: Mapped[Case] = relationship(back_populates="texts")


class Target(Base):
    """Whom an action goes to: an office and who held it, or, for solidarity, the person's own address.

    `address_lines` are written as the post of `country` wants them, without the country's name.
    `unreached_from` lists the countries (ISO 3166-1 alpha-2) whose post does not go there; `embassy_route` says what
    to do instead. `embassies` has the address of the embassy of `country`, line by line, by the sender's country.
    """

    __tablename__ = "targets"

    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id", ondelete="CASCADE"), index=True)
    position: Mapped[int] = mapped_column(default=0)
    for_solidarity: Mapped[bool] = mapped_column(default=False)
    office: Mapped[str] = mapped_column(String(200))
    name: Mapped[str | None] = mapped_column(String(200))
    name_as_of: Mapped[str | None] = mapped_column(String(60))
    salutation: Mapped[str] = mapped_column(String(120))
    address_lines: Mapped[list[str]] = mapped_column(JSON, default=list)
    country: Mapped[str] = mapped_column(String(2))
    email: Mapped[str | None] = mapped_column(String(200))
    x_handle: Mapped[str | None] = mapped_column(String(40))
    languages: Mapped[list[str]] = mapped_column(JSON, default=list)
    unreached_from: Mapped[list[str]] = mapped_column(JSON, default=list)
    embassy_route: Mapped[str | None] = mapped_column(Text)
    embassies: Mapped[dict[str, list[str]]] = mapped_column(JSON, default=dict)
    note: Mapped[str | None] = mapped_column(Text)
    source_tags: Mapped[str | None] = mapped_column(String(60))

    case: Mapped[Case] = relationship(back_populates="targets")

    def reachable_by(self, kind: Kind) -> bool:
        """Say whether there is what this kind of action needs: an address, a mailbox, or just a name to post about."""
        if kind is Kind.SOLIDARITY:
            return self.for_solidarity and bool(self.address_lines)
        if self.for_solidarity:
            return False
        if kind is Kind.LETTER:
            return bool(self.address_lines)
        return bool(self.email) if kind is Kind.EMAIL else True


class CaseUpdate(Base):
    """News of a case. `dated` sorts; `dated_as` is how the day is written where less is known ("end of June 2021")."""

    __tablename__ = "case_updates"

    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id", ondelete="CASCADE"), index=True)
    language: Mapped[str] = mapped_column(String(12), default="en")
    kind: Mapped[str] = mapped_column(String(12), default=UpdateKind.NEWS)
    dated: Mapped[date]
    dated_as: Mapped[str | None] = mapped_column(String(60))
    text: Mapped[str] = mapped_column(Text)

    case: Mapped[Case] = relationship(back_populates="updates")


class Source(Base):
    """Where a fact comes from: the meaning of a tag, and the day somebody last looked. Never shown to visitors."""

    __tablename__ = "sources"
    __table_args__ = (UniqueConstraint("case_id", "tag"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id", ondelete="CASCADE"))
    tag: Mapped[str] = mapped_column(String(12))
    title: Mapped[str] = mapped_column(Text)
    checked_on: Mapped[date]

    case: Mapped[Case] = relationship(back_populates="sources")


class CaseVersion(Base):
    """Everything that is said of a case, as it stood at one moment: `document` is a `wfr.cases.documents.CaseDocument`.

    Versions of a case are numbered from 1. `revision` grows with each save of a draft, so that nobody saves over
    somebody else's words. `note` is what the reviewer asked for, or why a scheduled publication failed.
    """

    __tablename__ = "case_versions"
    __table_args__ = (UniqueConstraint("case_id", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id", ondelete="CASCADE"))
    number: Mapped[int]
    state: Mapped[str] = mapped_column(String(10), default=VersionState.DRAFT)
    document: Mapped[dict[str, Any]] = mapped_column(JSON)
    revision: Mapped[int] = mapped_column(default=1)
    based_on: Mapped[int | None]
    note: Mapped[str | None] = mapped_column(Text)
    begun_by: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    begun_at: Mapped[datetime]
    changed_by: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    changed_at: Mapped[datetime]
    submitted_by: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    submitted_at: Mapped[datetime | None]
    approved_by: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    approved_at: Mapped[datetime | None]
    publish_at: Mapped[datetime | None]
    published_by: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    published_at: Mapped[datetime | None]


class VersionEditor(Base):
    """Who has changed a version; none of them may approve it, nor what is built on it before the next approval."""

    __tablename__ = "version_editors"

    version_id: Mapped[int] = mapped_column(ForeignKey("case_versions.id", ondelete="CASCADE"), primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), primary_key=True)


class Consent(Base):
    """What the person, the family or the lawyer agreed to, and until when; never how to reach them.

    The newest row of a case counts. `name` is the form of the name that may be shown; `evidence` says where the
    evidence lies ("file 12 of the regional office"), not what it is.
    """

    __tablename__ = "consents"

    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id", ondelete="CASCADE"), index=True)
    given_by: Mapped[str] = mapped_column(String(10))
    name: Mapped[str] = mapped_column(String(160))
    photograph: Mapped[bool] = mapped_column(default=False)
    story: Mapped[bool] = mapped_column(default=False)
    kinds: Mapped[list[str]] = mapped_column(JSON, default=list)
    schools: Mapped[bool] = mapped_column(default=False)
    feeds: Mapped[bool] = mapped_column(default=False)
    on_x: Mapped[bool] = mapped_column(default=False)
    ends: Mapped[date]
    evidence: Mapped[str] = mapped_column(String(300))
    checked_by: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    checked_on: Mapped[date]
    recorded_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]


class Photograph(Base):
    """A photograph as we made it anew from an upload: no metadata, known size. `id` is the digest of what was made."""

    __tablename__ = "photographs"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    width: Mapped[int]
    height: Mapped[int]
    made_at: Mapped[datetime]
    made_by: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))

    def widths(self) -> list[int]:
        """Return how wide its files are, the narrowest first."""
        return sorted({min(width, self.width) for width in PHOTOGRAPH_WIDTHS})


class PhotographFile(Base):
    """One of a photograph's files: WebP or JPEG in one of three widths (pixels)."""

    __tablename__ = "photograph_files"

    photograph_id: Mapped[str] = mapped_column(ForeignKey("photographs.id", ondelete="CASCADE"), primary_key=True)
    width: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    format: Mapped[str] = mapped_column(String(4), primary_key=True)
    data: Mapped[bytes] = mapped_column(LargeBinary)


class Reply(Base):
    """An answer that came from an official: when, from whom, and what it said in a few words. The desk's alone."""

    __tablename__ = "replies"

    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id", ondelete="CASCADE"), index=True)
    dated: Mapped[date]
    sender: Mapped[str] = mapped_column(String(200))
    summary: Mapped[str] = mapped_column(Text)
    logged_by: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    logged_at: Mapped[datetime]


class Story(Base):
    """What letters did: a finished story with a figure from a source. `text` is Markdown and may carry source tags.

    Visitors read those that are published. `pending` holds the words that are to take the place of published ones, and
    how far they have come (``state``). `editors` are the accounts that changed or submitted what is not published yet;
    none of them may publish it.
    """

    __tablename__ = "stories"
    __table_args__ = (UniqueConstraint("slug", "language"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(String(80))
    language: Mapped[str] = mapped_column(String(12), default="en")
    position: Mapped[int] = mapped_column(default=0)
    title: Mapped[str] = mapped_column(String(160))
    place: Mapped[str] = mapped_column(String(120))
    summary: Mapped[str] = mapped_column(Text)
    text: Mapped[str] = mapped_column(Text)
    figure: Mapped[str | None] = mapped_column(String(40))
    figure_of: Mapped[str | None] = mapped_column(String(80))
    sources: Mapped[list[str]] = mapped_column(JSON, default=list)
    state: Mapped[str] = mapped_column(String(10), default=StoryState.PUBLISHED)
    pending: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    editors: Mapped[list[int]] = mapped_column(JSON, default=list)
    changed_by: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    changed_at: Mapped[datetime | None]
    published_by: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))


class YearTotal(Base):
    """How many actions a past year brought, as far as anybody published it. `label` is how the figure is written."""

    __tablename__ = "year_totals"

    year: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    actions: Mapped[int]
    label: Mapped[str] = mapped_column(String(60))
    source_tags: Mapped[str | None] = mapped_column(String(60))
