"""A case's document: everything that is said of it, as one value. A version keeps one, a TOML file holds one.

The names are those of the tables, so a document becomes rows and rows become a document without a dictionary between.
A draft's document may lack anything; `find_gaps` says what is missing before it can be reviewed.
"""

from __future__ import annotations

import hashlib
import json
from datetime import date
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, field_validator
from sqlalchemy import delete
from sqlalchemy.orm import object_session

from wfr.cases.models import Case, CaseText, CaseUpdate, Kind, Season, Source, Target, UpdateKind
from wfr.cases.share_words import LONGEST, SharedOn, in_order
from wfr.extensions import AnySession


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


class TextDocument(_Part):
    """`CaseText`: the words in one language."""

    headline: str = Field("", max_length=200)
    summary: str = ""
    story: str = ""
    ask: str = ""
    letter: str = ""
    letter_close: str = Field("Yours sincerely,", max_length=120)
    email_subject: str = Field("", max_length=200)
    email_body: str = ""
    post: str = ""
    solidarity_message: str = ""
    solidarity_guidance: str = ""
    dos: list[str] = []
    donts: list[str] = []
    content_note: str | None = None
    why_not: dict[Kind, str] = {}
    share: dict[SharedOn, Annotated[str, Field(max_length=LONGEST)]] = {}
    photograph_alt: str = Field("", max_length=300)

    @field_validator("share")
    @classmethod
    def _only_what_says_something(cls, words: dict[SharedOn, str]) -> dict[SharedOn, str]:
        return in_order(words)


class TargetDocument(_Part):
    """`Target`: whom an action goes to."""

    for_solidarity: bool = False
    office: str = Field("", max_length=200)
    name: str | None = Field(None, max_length=200)
    name_as_of: str | None = Field(None, max_length=60)
    salutation: str = Field("", max_length=120)
    address_lines: list[str] = []
    country: str = Field("", max_length=2)
    email: str | None = Field(None, max_length=200)
    x_handle: str | None = Field(None, max_length=40)
    languages: list[str] = []
    unreached_from: list[str] = []
    embassy_route: str | None = None
    embassies: dict[str, list[str]] = {}
    note: str | None = None
    source_tags: str | None = Field(None, max_length=60)


class UpdateDocument(_Part):
    """`CaseUpdate`: news of the case."""

    language: str = Field("en", max_length=12)
    kind: UpdateKind = UpdateKind.NEWS
    dated: date
    dated_as: str | None = Field(None, max_length=60)
    text: str


class SourceDocument(_Part):
    """`Source`: the meaning of a tag, and the day somebody last looked."""

    tag: str = Field(max_length=12, pattern=r"^[A-Z][0-9]+$")
    title: str
    checked_on: date


class CaseDocument(_Part):
    """A whole case but its place: no slug, season or position, which are not said of anybody."""

    name: str = Field("", max_length=160)
    country: str = Field("", max_length=2)
    deadline: date | None = None
    kinds: list[Kind] = []
    pattern: str = "waves"
    colours: str = "teal"
    photograph: str | None = Field(None, max_length=64)
    photograph_credit: str | None = Field(None, max_length=200)
    as_it_stood: date | None = None
    texts: dict[str, TextDocument] = {}
    targets: list[TargetDocument] = []
    updates: list[UpdateDocument] = []
    sources: list[SourceDocument] = []

    def as_json(self) -> dict[str, Any]:
        """Return the document as a version keeps it."""
        return self.model_dump(mode="json")

    def digest(self) -> str:
        """Return a digest of the whole: two documents that say the same have the same."""
        told = json.dumps(self.as_json(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(told.encode()).hexdigest()


_COLUMNS = ("name", "country", "deadline", "pattern", "colours", "photograph", "photograph_credit", "as_it_stood")


def document_of(case: Case) -> CaseDocument:
    """Return what visitors read of a case, as a document."""
    return CaseDocument(
        **{name: getattr(case, name) for name in _COLUMNS},
        kinds=[Kind(kind) for kind in case.kinds],
        texts={text.language: _read(TextDocument, text) for text in case.texts},
        targets=[_read(TargetDocument, target) for target in case.targets],
        updates=[_read(UpdateDocument, update) for update in case.updates],
        sources=[_read(SourceDocument, source) for source in case.sources],
    )


def apply_document(session: AnySession, case: Case, document: CaseDocument) -> None:
    """Make a stored case say what the document says, inside the caller's transaction."""
    _set_columns(case, document)
    session.add(case)
    session.flush()
    # Words, targets and news are replaced as a whole; ids of theirs are nobody's to keep.
    for model in (CaseText, Target, CaseUpdate, Source):
        session.execute(delete(model).where(model.case_id == case.id))
    session.expire(case, ["texts", "targets", "updates", "sources"])
    for part in _parts(document):
        part.case_id = case.id
        session.add(part)
    session.flush()
    session.expire(case, ["texts", "targets", "updates", "sources"])


def preview_case(case: Case, document: CaseDocument) -> Case:
    """Return a case that says what the document says and belongs to no session: for the public page's own templates."""
    shown = Case(
        id=case.id,
        slug=case.slug,
        position=case.position,
        status="published",
        season=_copy_of(case.season) if case.season else None,
    )
    _set_columns(shown, document)
    for part in _parts(document):
        name = {CaseText: "texts", Target: "targets", CaseUpdate: "updates", Source: "sources"}[type(part)]
        getattr(shown, name).append(part)
    shown.updates.sort(key=lambda update: update.dated)
    return shown


def _copy_of(season: Season) -> Season:
    # The stored season would take the shown case into its session.
    columns = (column.key for column in Season.__table__.columns)
    copy = Season(**{name: getattr(season, name) for name in columns})
    assert object_session(copy) is None  # noqa: S101 -- what the comment above rests on
    return copy


def _read(model: type[Any], row: Any) -> Any:
    return model(**{name: getattr(row, name) for name in model.model_fields})


def _set_columns(case: Case, document: CaseDocument) -> None:
    for name in _COLUMNS:
        setattr(case, name, getattr(document, name))
    case.kinds = [kind.value for kind in document.kinds]


def _parts(document: CaseDocument) -> list[Any]:
    parts: list[Any] = []
    for language, text in document.texts.items():
        parts.append(CaseText(language=language, **text.model_dump(mode="json")))
    for position, target in enumerate(document.targets):
        parts.append(Target(position=position, **target.model_dump()))
    parts += [CaseUpdate(**{**update.model_dump(), "kind": update.kind.value}) for update in document.updates]
    parts += [Source(**source.model_dump()) for source in document.sources]
    return parts
