"""Loading the demonstration: its season, cases and stories come from TOML files. Loading twice changes nothing."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

from sqlalchemy import select

from wfr.cases.documents import apply_document
from wfr.cases.models import Case, CaseStatus, CaseVersion, Installation, Season, Story, YearTotal
from wfr.cases.season_files import (
    SEASON_DATES,
    CannotLoad,
    CaseFile,
    SeasonFile,
    StoryEntry,
    TotalEntry,
    read_season,
    season_row,
)
from wfr.extensions import AnySession

HUMAN_RIGHTS_DAY = (12, 10)


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


def folder_files(folder: Path) -> dict[str, bytes]:
    """Return the files of a season's folder by name, such as ``cases/ada-vale.toml``; raises `CannotLoad`."""
    found = [*folder.glob("*.toml"), *folder.glob("cases/*.toml")]
    try:
        return {file.relative_to(folder).as_posix(): file.read_bytes() for file in found}
    except OSError as problem:
        raise CannotLoad(f"{problem.filename}: {problem.strerror}") from problem


def load_folder(session: AnySession, folder: Path, today: date) -> None:
    """Bring the demonstration in `folder` before visitors, inside the caller's transaction.

    The season's days are counted from `today`, so that it is open. What the desk has changed since stays as it is.
    Raises `CannotLoad` with every problem of the files.
    """
    files = read_season(folder_files(folder), counted=True)
    season = _load_season(session, files.season, today)
    session.flush()
    for case in files.cases:
        _load_case(session, season, case)
    _load_stories(session, files.stories)
    _load_totals(session, files.totals)


def load_totals(session: AnySession, totals: list[TotalEntry]) -> None:
    """Make these the totals of past years, inside the caller's transaction."""
    for total in totals:
        tags = ", ".join(source.tag for source in total.sources)
        session.merge(YearTotal(year=total.year, actions=total.actions, label=total.label, source_tags=tags))


def season_dates(plan: SeasonFile, today: date) -> dict[str, date]:
    """Return the season's days: those that `plan` names, or else days counted from the nearest Human Rights Day.

    Counted days are the demonstration's: its season is open on `today`, whatever day that is.
    """
    if plan.opens is not None:
        return {name: getattr(plan, name) for name in SEASON_DATES}
    before, after, reports = (
        timedelta(days=days or 0)
        for days in (plan.opens_days_before, plan.closes_days_after_key_date, plan.reports_days_after_close)
    )
    years = (today.year - 1, today.year, today.year + 1)
    key = next(key for key in (date(year, *HUMAN_RIGHTS_DAY) for year in years) if today <= key + after)
    return {
        "opens": today - before,
        "key_date": key,
        "closes": key + after,
        "reports_due": key + after + reports,
    }


def _load_season(session: AnySession, plan: SeasonFile, today: date) -> Season:
    days = season_dates(plan, today)
    season = session.scalar(select(Season).where(Season.slug == plan.slug))
    if season is None:
        season = season_row(plan, days)
        session.add(season)
        return season
    if season.changed_at is None:
        season.name, season.goal, season.letters_collected_at = plan.name, plan.goal, plan.letters_collected_at
    if _was_counted(season, plan):
        for name, day in days.items():
            setattr(season, name, day)
    return season


def _was_counted(season: Season, plan: SeasonFile) -> bool:
    """Say whether a stored season's days are those that were counted on the day it was loaded."""
    loaded = season.opens + timedelta(days=plan.opens_days_before or 0)
    return season_dates(plan, loaded) == {name: getattr(season, name) for name in SEASON_DATES}


def _load_case(session: AnySession, season: Season, file: CaseFile) -> None:
    case = session.scalar(select(Case).where(Case.slug == file.slug))
    if case is None:
        case = Case(
            slug=file.slug,
            status=CaseStatus.PUBLISHED,
            position=file.position or 0,
            season=season,
            schools=True,
            feeds=True,
            on_x=True,
        )
    elif session.scalar(select(CaseVersion.id).where(CaseVersion.case_id == case.id).limit(1)):
        return
    if season.changed_at is None:
        case.position = file.position or 0
    document = file.document
    apply_document(session, case, document.model_copy(update={"deadline": document.deadline or season.closes}))


def _load_stories(session: AnySession, entries: list[StoryEntry]) -> None:
    stored = {(story.slug, story.language): story for story in session.scalars(select(Story))}
    for entry in entries:
        story = stored.pop((entry.slug, entry.language), None) or Story(slug=entry.slug, language=entry.language)
        if story.changed_by is None:
            for name, value in entry.columns().items():
                setattr(story, name, value)
            session.add(story)
    for story in stored.values():
        if story.changed_by is None:
            session.delete(story)


def _load_totals(session: AnySession, totals: list[TotalEntry]) -> None:
    years = {total.year for total in totals}
    for stored in session.scalars(select(YearTotal)):
        if stored.year not in years:
            session.delete(stored)
    load_totals(session, totals)
