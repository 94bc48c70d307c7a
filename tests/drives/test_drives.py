"""A drive's life: told, confirmed, changed, paused, replaced, closed, forgotten."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
import time_machine
from flask import Flask

from tests.drives.driving import TEACHER, code_for, join, make_drive, new_drive
from tests.factories import Cast, make_case
from wfr.cases.models import Case, Season
from wfr.cases.queries import today
from wfr.drives.codes import CODE, clean_code
from wfr.drives.erasing import erase_contacts
from wfr.drives.joining import Barrier, NotJoined
from wfr.drives.links import LinkFor, drive_of_link, link_token
from wfr.drives.managing import Plan, change_plan, close_drive, forget_teacher, pause_drive, replace_code, replace_links
from wfr.drives.models import Drive, DriveCase, DriveCode, DriveNotice, NameState
from wfr.drives.notices import add_notice
from wfr.drives.starting import confirm_drive, start_drive
from wfr.errors import NoSuchThing, Refused
from wfr.extensions import db, transaction
from wfr.pledges.models import Pledge


def manage(drive: Drive) -> str:
    return link_token(drive, LinkFor.MANAGE)


def plan(drive: Drive, **changes: object) -> Plan:
    cases = db.session.query(Case.slug).join(DriveCase, DriveCase.case_id == Case.id)
    values = {
        "name": drive.name,
        "starts": drive.starts,
        "ends": drive.ends,
        "cases": [slug for (slug,) in cases.filter(DriveCase.drive_id == drive.id)],
        "hoped": drive.hoped,
        "tell_outcomes": False,
        "invite_again": False,
        **changes,
    }
    return Plan(**values)  # type: ignore[arg-type]


def refused(code: str, slug: str) -> Barrier:
    with pytest.raises(NotJoined) as refusal:
        join(code, slug)
    return refusal.value.why


def test_nothing_works_before_it_is_confirmed_and_twice_is_as_once(app: Flask, season: Cast) -> None:
    with app.app_context():
        drive = make_drive(season, confirmed=False)
        assert db.session.query(DriveCode).count() == 0
        with pytest.raises(Refused):
            pause_drive(token=manage(drive), paused=True)
        token = link_token(drive, LinkFor.CONFIRM)
        confirm_drive(token=token)
        confirm_drive(token=token)
        assert db.session.query(DriveCode).count() == 1
        code = code_for(drive)
        assert CODE.fullmatch(code)
        assert clean_code(f" {code[:3].lower()}-{code[3:]} ") == code
        join(code, season.tiny)


def test_a_link_is_good_for_one_thing_and_a_confirmation_for_a_week(app: Flask, season: Cast) -> None:
    with app.app_context():
        drive = make_drive(season)
        for purpose in LinkFor:
            token = link_token(drive, purpose)
            assert drive_of_link(db.session, token, purpose).id == drive.id
            for other in set(LinkFor) - {purpose}:
                with pytest.raises(NoSuchThing):
                    drive_of_link(db.session, token, other)
            for bad in (token[:-1], token + "A", "x" + token, "", "~~~", token.replace(".1~", ".2~")):
                with pytest.raises(NoSuchThing):
                    drive_of_link(db.session, bad, purpose)
        tokens = {purpose: link_token(drive, purpose) for purpose in LinkFor}
        with time_machine.travel(today() + timedelta(days=9)):
            drive_of_link(db.session, tokens[LinkFor.MANAGE], LinkFor.MANAGE)
            with pytest.raises(NoSuchThing):
                drive_of_link(db.session, tokens[LinkFor.CONFIRM], LinkFor.CONFIRM)


def test_a_leaked_link_and_a_leaked_code_are_replaced(app: Flask, season: Cast) -> None:
    with app.app_context():
        drive = make_drive(season)
        leaked, code = manage(drive), code_for(drive)
        replace_links(token=leaked)
        with pytest.raises(NoSuchThing):
            pause_drive(token=leaked, paused=True)
        new = replace_code(token=manage(drive))
        assert new != code
        assert refused(code, season.tiny) is Barrier.REPLACED
        join(new, season.tiny)
        assert db.session.get_one(DriveCode, code).drive_id == drive.id


def test_pause_close_and_the_last_day_keep_pupils_out(app: Flask, season: Cast) -> None:
    with app.app_context():
        drive = make_drive(season)
        code = code_for(drive)
        pause_drive(token=manage(drive), paused=True)
        assert refused(code, season.tiny) is Barrier.PAUSED
        pause_drive(token=manage(drive), paused=False)
        join(code, season.tiny)
        with time_machine.travel(drive.ends + timedelta(days=1)):
            assert refused(code, season.tiny) is Barrier.OVER
        close_drive(token=manage(drive))
        assert refused(code, season.tiny) is Barrier.CLOSED
        with pytest.raises(Refused):
            close_drive(token=manage(drive))


def test_pupils_write_for_the_chosen_cases_only(app: Flask, season: Cast) -> None:
    with app.app_context():
        drive = make_drive(season, cases=[season.tiny])
        with pytest.raises(NoSuchThing):
            join(code_for(drive), season.long)
        with pytest.raises(NoSuchThing):
            join("CCCCCC", season.tiny)


def test_a_case_whose_consent_leaves_out_schools_cannot_be_chosen(app: Flask, season: Cast) -> None:
    with app.app_context():
        with transaction() as session:
            session.query(Case).filter(Case.slug == season.long).update({"schools": False})
        with pytest.raises(Refused):
            make_drive(season)
        drive = make_drive(season, cases=[season.tiny])
        with pytest.raises(Refused):
            change_plan(token=manage(drive), plan=plan(drive, cases=[season.tiny, season.long]))
        with pytest.raises(Refused):
            make_drive(season, cases=[season.silent])
        with pytest.raises(Refused):
            make_drive(season, cases=[])


def test_the_plan_changes_and_what_was_written_for_stays(app: Flask, season: Cast) -> None:
    with app.app_context():
        drive = make_drive(season)
        with transaction() as session:
            session.get_one(Drive, drive.id).name_state = NameState.APPROVED
        join(code_for(drive), season.tiny)
        changed = change_plan(token=manage(drive), plan=plan(drive, cases=[season.long], hoped=50))
        assert {row.case_id for row in db.session.query(DriveCase)} == {1, 2}
        assert (changed.hoped, changed.name_state) == (50, NameState.APPROVED)
        changed = change_plan(token=manage(drive), plan=plan(drive, name="Another name"))
        assert (changed.name_state, changed.public_name) == (NameState.WAITING, None)
        for wrong in ({"hoped": 0}, {"hoped": 2001}, {"ends": drive.starts - timedelta(days=1)}):
            with pytest.raises(Refused):
                change_plan(token=manage(drive), plan=plan(drive, **wrong))


def test_a_leaked_code_brings_no_more_than_the_limit_and_the_desk_is_told(app: Flask, season: Cast) -> None:
    with app.app_context():
        drive = make_drive(season, hoped=10)
        code, limit = code_for(drive), drive.limit
        assert limit == 30
    begin, kept_out = threading.Barrier(6), []

    def script() -> None:
        with app.app_context():
            begin.wait()
            for _ in range(10):
                try:
                    join(code, season.tiny)
                except NotJoined as problem:
                    kept_out.append(problem.why)

    threads = [threading.Thread(target=script) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    with app.app_context():
        found = db.session.get_one(Drive, drive.id, populate_existing=True)
        assert (found.joined, db.session.query(Pledge).count()) == (limit, limit)
        assert kept_out == [Barrier.LIMIT] * (60 - limit)
        assert found.limit_met_at
        change_plan(token=manage(drive), plan=plan(drive, hoped=60))
        assert db.session.get_one(Drive, drive.id, populate_existing=True).limit_met_at is None
        join(code, season.tiny)


def test_a_ticket_counted_before_the_limit_gets_the_same_answer_after_it(app: Flask, season: Cast) -> None:
    with app.app_context():
        drive = make_drive(season, hoped=1)
        code = code_for(drive)
        first = join(code, season.tiny)
        for _ in range(drive.limit - 1):
            join(code, season.tiny)
        assert refused(code, season.tiny) is Barrier.LIMIT
        join(code, season.tiny, ticket=first)
        assert db.session.get_one(Drive, drive.id, populate_existing=True).joined == drive.limit


def test_contacts_go_90_days_after_the_season_or_later_for_who_asked_for_it(app: Flask, season: Cast) -> None:
    with app.app_context():
        drive, again = make_drive(season), make_drive(season, invite_again=True)
        never = make_drive(season, confirmed=False).id
        with transaction() as session:
            for each in (drive, again):
                add_notice(session, each, "message:1", words="Dear teacher")
        join(code_for(drive), season.tiny)
        token = manage(drive)

        def at(days: int) -> list[str | None]:
            with time_machine.travel(season.season.closes + timedelta(days=days)):
                erase_contacts()
            db.session.expire_all()
            return [db.session.get_one(Drive, each.id).email for each in (drive, again)]

        assert at(90) == [TEACHER, TEACHER]
        assert db.session.get(Drive, never) is None
        assert at(91) == [None, TEACHER]
        found = db.session.get_one(Drive, drive.id)
        assert (found.joined, found.name, found.erased_at is not None) == (1, "", True)
        assert [notice.drive_id for notice in db.session.query(DriveNotice)] == [again.id]
        with pytest.raises(NoSuchThing):
            pause_drive(token=token, paused=True)
        assert at(456) == [None, None]
        assert db.session.query(DriveNotice).count() == 0


def test_a_teacher_is_forgotten_at_once_when_they_ask(app: Flask, season: Cast) -> None:
    with app.app_context():
        drive = make_drive(season)
        token = manage(drive)
        forget_teacher(token=token)
        found = db.session.get_one(Drive, drive.id, populate_existing=True)
        assert (found.email, found.closed_at is not None) == (None, True)
        with pytest.raises(NoSuchThing):
            forget_teacher(token=token)
        with transaction() as session:
            assert add_notice(session, found, "message:2", words="Hello") is False


def test_next_year_the_same_address_finds_its_last_drive(app: Flask, season: Cast) -> None:
    with app.app_context():
        before = make_drive(season)
        year = timedelta(days=365)
        later = Season(
            slug="next",
            name="Next",
            opens=season.season.opens + year,
            closes=season.season.closes + year,
            key_date=season.season.key_date + year,
            reports_due=season.season.reports_due + year,
        )
        db.session.add(later)
        make_case(later, "next-case", "Bo Lind")
        db.session.commit()
        with time_machine.travel(today() + year):
            started = start_drive(season_slug="next", new=new_drive(["next-case"]))
            assert confirm_drive(token=link_token(started, LinkFor.CONFIRM)).last_time == before.id
