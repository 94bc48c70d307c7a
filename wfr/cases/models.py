"""Seasons, cases and everything a visitor reads about them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from enum import StrEnum

from sqlalchemy import JSON, ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from wfr.extensions import Base


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
    """How far the desk has brought a case. Visitors only ever see the last four."""

    DRAFT = "draft"
    IN_REVIEW = "in_review"
    APPROVED = "approved"
    PUBLISHED = "published"
    PAUSED = "paused"
    CLOSED = "closed"
    WITHDRAWN = "withdrawn"


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
    """One winter of Write for Rights. All dates are calendar days in UTC, the last one included."""

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
    """A person or community whose rights are abused, and what can be done for them."""

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
    photograph: Mapped[str | None] = mapped_column(String(200))
    photograph_alt: Mapped[str | None] = mapped_column(String(300))
    photograph_credit: Mapped[str | None] = mapped_column(String(200))
    as_it_stood: Mapped[date | None]

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
        season_state = self.season.state(today) if self.season else SeasonState.OPEN
        if season_state is not SeasonState.OPEN:
            return Standing(season_state.value)
        if self.deadline and today > self.deadline:
            return Standing.EXPIRED
        return Standing.OPEN

    def offers(self, kind: Kind) -> bool:
        """Say whether this kind of action is offered for this case at all."""
        return kind.value in self.kinds

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
    kind that is not offered, why not.
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

    case: Mapped[Case] = relationship(back_populates="texts")


class Target(Base):
    """Whom an action goes to: an office and who held it, or, for solidarity, the person's own address.

    `address_lines` are written as the post of `country` wants them, without the country's name.
    `unreached_from` lists the countries (ISO 3166-1 alpha-2) whose post does not go there; `embassy_route` says what
    to do instead.
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


class Story(Base):
    """What letters did: a finished story with a figure from a source. `text` is Markdown and may carry source tags."""

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


class YearTotal(Base):
    """How many actions a past year brought, as far as anybody published it. `label` is how the figure is written."""

    __tablename__ = "year_totals"

    year: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    actions: Mapped[int]
    label: Mapped[str] = mapped_column(String(60))
    source_tags: Mapped[str | None] = mapped_column(String(60))
