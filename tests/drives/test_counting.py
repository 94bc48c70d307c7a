"""What a class wrote counts once: pledged by code, then replaced by what the office counted, never added to it."""

from __future__ import annotations

import threading

import pytest
from flask import Flask

from tests.drives.driving import case_id, code_for, join, make_drive
from tests.factories import Cast
from tests.staffing import make_account
from wfr.cases.models import Case, CaseStatus, Kind, Season
from wfr.drives.joining import Barrier, NotJoined
from wfr.drives.links import LinkFor, link_token
from wfr.drives.models import Drive, DriveReport, Sort
from wfr.drives.moderating import merge_drives
from wfr.drives.queries import numbers_of, school_totals
from wfr.drives.reporting import Line, count_report, report
from wfr.errors import NotAllowed, Refused
from wfr.extensions import db, transaction
from wfr.pledges.exporting import export_actions
from wfr.pledges.models import CountedParcel, Pledge, PledgeState
from wfr.pledges.pledging import mark_taken
from wfr.pledges.tallying import Figures, find_drift, read_figures
from wfr.staff.models import Account, Actor, Role


def figures(slug: str) -> Figures:
    return read_figures(db.session).get(case_id(slug), Figures())


def letters(slug: str) -> tuple[int, int]:
    count = figures(slug).kinds["letter"]
    return count.pledged, count.taken


def tell(drive: Drive, slug: str, number: int, sort: Sort = Sort.LETTER) -> None:
    report(token=link_token(drive, LinkFor.MANAGE), purpose=LinkFor.MANAGE, numbers={Line(slug, sort): number})


def count(drive: Drive, slug: str, number: int, by: Account, sort: Sort = Sort.LETTER) -> DriveReport:
    return count_report(drive_slug=drive.slug, line=Line(slug, sort), number=number, by=Actor(by.id))


def test_the_count_takes_the_place_of_the_pledges(app: Flask, season: Cast) -> None:
    with app.app_context():
        drive, omar = make_drive(season), make_account("omar", Role.REVIEWER)
        tickets = [join(code_for(drive), season.tiny) for _ in range(3)]
        join(code_for(drive), season.long)
        assert letters(season.tiny) == (3, 0)

        tell(drive, season.tiny, 28)
        assert letters(season.tiny) == (3, 0)
        line = numbers_of(db.session, drive).of(case_id(season.tiny), Sort.LETTER)
        assert (line.joined, line.reported, line.counted, line.standing) == (3, 28, None, 3)

        count(drive, season.tiny, 27, omar)
        assert letters(season.tiny) == (27, 27)
        assert letters(season.long) == (1, 0)
        line = numbers_of(db.session, drive).of(case_id(season.tiny), Sort.LETTER)
        assert (line.joined, line.reported, line.counted, line.standing) == (0, 28, 27, 27)
        assert all(db.session.get_one(Pledge, ticket).state == PledgeState.SUPERSEDED for ticket in tickets)
        assert db.session.query(CountedParcel.number, CountedParcel.superseded).all() == [(27, 3)]
        assert find_drift(db.session) == []


def test_a_second_count_is_entered_as_the_difference(app: Flask, season: Cast) -> None:
    with app.app_context():
        drive, omar = make_drive(season), make_account("omar", Role.REVIEWER)
        join(code_for(drive), season.tiny)
        for number in (27, 25, 31, 0, 4):
            count(drive, season.tiny, number, omar)
            assert letters(season.tiny) == (number, number)
            assert find_drift(db.session) == []
        by_day = export_actions(by=Actor(omar.id)).lines
        assert [(line.pledged, line.parcels) for _key, line in by_day] == [(0, 4)]


def test_what_was_taken_already_is_superseded_whole(app: Flask, season: Cast) -> None:
    with app.app_context():
        drive, omar = make_drive(season), make_account("omar", Role.REVIEWER)
        mark_taken(join(code_for(drive), season.tiny))
        join(code_for(drive), season.tiny)
        assert letters(season.tiny) == (2, 1)
        count(drive, season.tiny, 1, omar)
        assert letters(season.tiny) == (1, 1)
        assert find_drift(db.session) == []


def test_after_the_count_nothing_is_added_by_the_code(app: Flask, season: Cast) -> None:
    with app.app_context():
        drive, omar = make_drive(season), make_account("omar", Role.REVIEWER)
        code = code_for(drive)
        first = join(code, season.tiny)
        count(drive, season.tiny, 1, omar)
        with pytest.raises(NotJoined) as refusal:
            join(code, season.tiny)
        assert refusal.value.why is Barrier.COUNTED
        with pytest.raises(NotJoined):
            join(code, season.tiny, ticket=first)
        join(code, season.long)
        join(code, season.tiny, kind=Kind.SOLIDARITY)
        assert letters(season.tiny) == (1, 1)


def test_a_report_counts_nothing_and_a_counted_line_keeps_what_was_told(app: Flask, season: Cast) -> None:
    with app.app_context():
        drive, omar = make_drive(season), make_account("omar", Role.REVIEWER)
        tell(drive, season.tiny, 28)
        tell(drive, season.tiny, 29)
        assert letters(season.tiny) == (0, 0)
        count(drive, season.tiny, 27, omar)
        tell(drive, season.tiny, 40)
        line = numbers_of(db.session, drive).of(case_id(season.tiny), Sort.LETTER)
        assert (line.reported, line.counted) == (29, 27)


def test_signatures_are_told_and_counted_and_are_no_actions(app: Flask, season: Cast) -> None:
    with app.app_context():
        drive, omar = make_drive(season), make_account("omar", Role.REVIEWER)
        tell(drive, season.tiny, 60, Sort.PETITION)
        count(drive, season.tiny, 58, omar, Sort.PETITION)
        numbers = numbers_of(db.session, drive)
        assert (numbers.reported(Sort.PETITION), numbers.counted(Sort.PETITION)) == (60, 58)
        assert (numbers.reported(), numbers.counted(), numbers.written()) == (None, None, 0)
        assert figures(season.tiny).pledged == 0
        assert school_totals(db.session.get_one(Season, drive.season_id)).counted == 0


def test_a_writer_cannot_count_and_a_withdrawn_case_is_not_counted(app: Flask, season: Cast) -> None:
    with app.app_context():
        drive, ana, omar = make_drive(season), make_account("ana"), make_account("omar", Role.REVIEWER)
        with pytest.raises(NotAllowed):
            count(drive, season.tiny, 27, ana)
        with transaction() as session:
            session.query(Case).filter(Case.slug == season.tiny).update({"status": CaseStatus.WITHDRAWN})
        with pytest.raises(Refused):
            count(drive, season.tiny, 27, omar)
        for number in (-1, 1_000_000):
            with pytest.raises(Refused):
                count(drive, season.long, number, omar)
        assert db.session.query(CountedParcel).count() == 0


def test_letters_that_come_while_the_parcel_is_counted_are_never_counted_twice(app: Flask, season: Cast) -> None:
    with app.app_context():
        drive, omar = make_drive(season, hoped=200), make_account("omar", Role.REVIEWER)
        code, by = code_for(drive), omar.id
    refused: list[Barrier] = []
    begin = threading.Barrier(5)

    def pupil() -> None:
        with app.app_context():
            begin.wait()
            for _ in range(8):
                try:
                    join(code, season.tiny)
                except NotJoined as problem:
                    refused.append(problem.why)

    def office() -> None:
        with app.app_context():
            begin.wait()
            count_report(drive_slug=drive.slug, line=Line(season.tiny, Sort.LETTER), number=27, by=Actor(by))

    threads = [threading.Thread(target=work) for work in (pupil, pupil, pupil, pupil, office)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    with app.app_context():
        assert letters(season.tiny) == (27, 27)
        assert set(refused) <= {Barrier.COUNTED}
        assert find_drift(db.session) == []


def test_two_drives_become_one_and_no_letter_is_lost_or_doubled(app: Flask, season: Cast) -> None:
    with app.app_context():
        first, second = make_drive(season), make_drive(season, cases=[season.tiny])
        omar, zoe = make_account("omar", Role.REVIEWER), make_account("zoe", Role.COORDINATOR)
        old_code = code_for(second)
        join(code_for(first), season.tiny)
        join(old_code, season.tiny)
        tell(second, season.tiny, 12)
        merge_drives(slug=second.slug, into=first.slug, by=Actor(zoe.id))
        line = numbers_of(db.session, first).of(case_id(season.tiny), Sort.LETTER)
        assert (line.joined, line.reported) == (2, 12)
        with pytest.raises(NotJoined) as refusal:
            join(old_code, season.tiny)
        assert refusal.value.why is Barrier.REPLACED
        count(first, season.tiny, 11, omar)
        assert letters(season.tiny) == (11, 11)
        assert find_drift(db.session) == []
        with pytest.raises(Refused):
            merge_drives(slug=first.slug, into=first.slug, by=Actor(zoe.id))
