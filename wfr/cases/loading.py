"""Loading a season, its cases and the stories from TOML files. Loading twice changes nothing."""

from __future__ import annotations

import tomllib
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import delete, select

from wfr.cases.models import (
    Case,
    CaseStatus,
    CaseText,
    CaseUpdate,
    Installation,
    Kind,
    Season,
    Source,
    Story,
    Target,
    YearTotal,
)
from wfr.cases.placeholders import check_placeholders
from wfr.extensions import AnySession, transaction

PLACEHOLDER_PARTS = ("letter", "email_body", "post", "solidarity_message")
HUMAN_RIGHTS_DAY = (12, 10)


class CannotLoad(Exception):
    """The files or the database do not allow it; the message says why and, where it is a file, which."""


def stamp_as_demonstration(session: AnySession) -> None:
    """Mark this database as a demonstration, for ever; raises `CannotLoad` when it holds real cases already."""
    installation = session.get(Installation, 1)
    if installation and installation.demonstration:
        return
    if session.scalar(select(Case.id).limit(1)) or session.scalar(select(Season.id).limit(1)):
        raise CannotLoad(
            "This database holds real cases. A demonstration needs one of its own: set WFR_DATA or DATABASE_URL."
        )
    session.merge(Installation(id=1, demonstration=True))


def refuse_public_demonstration(session: AnySession, *, public: bool) -> None:
    """Raise `CannotLoad` when a demonstration's database is about to be shown to the world."""
    installation = session.get(Installation, 1)
    if public and installation and installation.demonstration:
        raise CannotLoad(
            "This database was made for a demonstration and stays one: it is served on this machine only. "
            "Set DATABASE_URL or WFR_DATA to a database of your own, or WFR_BIND and WFR_BASE_URL to loopback."
        )


def load_folder(session: AnySession, folder: Path, today: date) -> None:
    """Load `season.toml`, `cases/*.toml` and `stories.toml` from `folder`, inside the caller's transaction.

    The season's dates are counted from `today`, so that it is open. Raises `CannotLoad` naming the file.
    """
    season = _load_season(session, _read(folder / "season.toml"), today)
    session.flush()
    for file in sorted((folder / "cases").glob("*.toml")):
        data = _read(file)
        try:
            _load_case(session, season, data)
        except (KeyError, ValueError, TypeError) as problem:
            raise CannotLoad(f"{file.name}: {problem}") from problem
    if (folder / "stories.toml").exists():
        _load_stories(session, _read(folder / "stories.toml"))


def load_season(folder: Path) -> str:
    """Load a real season from `folder` and return its name. Loading again replaces its words, and changes no status.

    Raises `CannotLoad`, also in a demonstration's database; `DatabaseAway`.
    """
    with transaction() as session:
        installation = session.get(Installation, 1)
        if installation and installation.demonstration:
            raise CannotLoad("This database is a demonstration and stays one. Set WFR_DATA or DATABASE_URL to another.")
        load_folder(session, folder, datetime.now(UTC).date())
        name: str = _read(folder / "season.toml")["name"]
        return name


def season_dates(plan: dict[str, Any], today: date) -> dict[str, date]:
    """Return the season's days: those that `plan` names, or else days counted from the nearest Human Rights Day.

    Counted days are the demonstration's: its season is open on `today`, whatever day that is.
    """
    if "opens" in plan:
        return {name: plan[name] for name in ("opens", "key_date", "closes", "reports_due")}
    after = timedelta(days=plan["closes_days_after_key_date"])
    key = date(today.year, *HUMAN_RIGHTS_DAY)
    if today > key + after:
        key = date(today.year + 1, *HUMAN_RIGHTS_DAY)
    before = date(today.year - 1, *HUMAN_RIGHTS_DAY)
    if today <= before + after:
        key = before
    closes = key + after
    return {
        "opens": today - timedelta(days=plan["opens_days_before"]),
        "key_date": key,
        "closes": closes,
        "reports_due": closes + timedelta(days=plan["reports_days_after_close"]),
    }


def _read(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as problem:
        raise CannotLoad(f"{file.name}: {problem}") from problem


def _load_season(session: AnySession, data: dict[str, Any], today: date) -> Season:
    season = session.scalar(select(Season).where(Season.slug == data["slug"])) or Season(slug=data["slug"])
    season.name = data["name"]
    season.goal = data.get("goal")
    season.letters_collected_at = data.get("letters_collected_at")
    for name, day in season_dates(data, today).items():
        setattr(season, name, day)
    session.add(season)
    return season


def _load_case(session: AnySession, season: Season, data: dict[str, Any]) -> None:
    kinds = [Kind(kind).value for kind in data["kinds"]]
    case = session.scalar(select(Case).where(Case.slug == data["slug"])) or Case(slug=data["slug"])
    fresh = case.id is None
    case.season, case.name, case.country = season, data["name"], data["country"]
    case.position, case.kinds, case.deadline = data["position"], kinds, season.closes
    case.pattern, case.colours, case.as_it_stood = data["pattern"], data["colours"], data.get("as_it_stood")
    if fresh:
        case.status = CaseStatus.PUBLISHED
    session.add(case)
    session.flush()
    # Words, targets and news are replaced as a whole; ids of theirs are nobody's to keep.
    for model in (CaseText, Target, CaseUpdate, Source):
        session.execute(delete(model).where(model.case_id == case.id))
    session.add_all(_parts(case.id, data))
    session.flush()
    session.expire(case)


def _parts(case_id: int, data: dict[str, Any]) -> list[Any]:
    parts: list[Any] = []
    for language, words in data["texts"].items():
        for part in PLACEHOLDER_PARTS:
            check_placeholders(part, words.get(part, ""))
        stripped = {name: value.strip() if isinstance(value, str) else value for name, value in words.items()}
        parts.append(CaseText(case_id=case_id, language=language, **stripped))
    for position, target in enumerate(data.get("targets", [])):
        parts.append(Target(case_id=case_id, position=position, **target))
    parts += [CaseUpdate(case_id=case_id, **update) for update in data.get("updates", [])]
    parts += [Source(case_id=case_id, checked_on=data["checked"], **source) for source in data.get("sources", [])]
    return parts


def _load_stories(session: AnySession, data: dict[str, Any]) -> None:
    session.execute(delete(Story))
    session.execute(delete(YearTotal))
    for story in data.get("stories", []):
        sources = [f"{source['tag']}: {source['title']}" for source in story.pop("sources", [])]
        session.add(Story(**{**story, "text": story["text"].strip()}, sources=sources))
    for total in data.get("totals", []):
        tags = ", ".join(source["tag"] for source in total.pop("sources", []))
        session.add(YearTotal(**total, source_tags=tags))
