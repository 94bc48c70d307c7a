"""The life of a case at the desk: nobody publishes alone, nothing unapproved is shown, every step is remembered."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from flask import Flask
from sqlalchemy import delete, func, select

from tests.factories import Cast
from tests.staffing import make_account
from wfr.cases import consenting, drafting, publishing, reviewing, withdrawing
from wfr.cases.consenting import ConsentGiven
from wfr.cases.documents import CaseDocument, apply_document, document_of, preview_case
from wfr.cases.drafting import SomebodyElseSaved, lock_case, newest_version
from wfr.cases.models import Case, CaseStatus, CaseVersion, Consenter, VersionState
from wfr.errors import NoSuchThing, NotAllowed, Refused
from wfr.extensions import db, transaction, utc_now
from wfr.staff.auditing import find_breaks
from wfr.staff.models import Actor, AuditEntry, Role


@pytest.fixture
def desk(app: Flask, season: Cast) -> dict[str, Actor]:
    """A writer, another writer, two reviewers and two coordinators."""
    with app.app_context():
        roles = {
            "wanda": Role.WRITER,
            "willem": Role.WRITER,
            "rhea": Role.REVIEWER,
            "ravi": Role.REVIEWER,
            "cora": Role.COORDINATOR,
            "cleo": Role.COORDINATOR,
        }
        return {name: Actor(make_account(name, role).id) for name, role in roles.items()}


def consent(name: str = "Ada Vale", **changes: object) -> ConsentGiven:
    values: dict[str, object] = {
        "given_by": Consenter.PERSON,
        "name": name,
        "photograph": False,
        "story": True,
        "kinds": ["letter", "email", "post", "solidarity"],
        "schools": True,
        "feeds": True,
        "on_x": False,
        "ends": utc_now().date() + timedelta(days=100),
        "evidence": "file 12 of the regional office",
        "checked_on": utc_now().date(),
        **changes,
    }
    return ConsentGiven(**values)  # type: ignore[arg-type]


def write(by: Actor, slug: str = "ada-vale", **changes: object) -> int:
    """Open a draft, change it and return its number."""
    drafting.begin_draft(by=by, slug=slug)
    version = newest(slug)
    document = CaseDocument.model_validate(version.document)
    document.texts["en"].headline = str(changes.pop("headline", f"Written by {by.account_id} in {version.number}"))
    for name, value in changes.items():
        setattr(document, name, value)
    drafting.save_draft(by=by, slug=slug, revision=version.revision, document=document)
    return version.number


def newest(slug: str = "ada-vale") -> CaseVersion:
    with transaction() as session:
        return newest_version(session, lock_case(session, slug))


def shown(slug: str = "ada-vale") -> Case:
    db.session.rollback()
    db.session.expire_all()
    return db.session.scalars(select(Case).where(Case.slug == slug)).one()


def hand_in(by: Actor, slug: str = "ada-vale") -> int:
    version = newest(slug)
    reviewing.submit(by=by, slug=slug, revision=version.revision)
    return version.number


def test_a_version_goes_from_draft_to_visitors_and_they_see_the_old_one_until_then(
    app: Flask, desk: dict[str, Actor]
) -> None:
    with app.app_context():
        before = shown().texts[0].headline
        number = write(desk["wanda"], headline="Held for two poems")
        assert hand_in(desk["wanda"]) == number
        reviewing.approve(by=desk["rhea"], slug="ada-vale", number=number, sources_seen=True)
        assert shown().texts[0].headline == before
        consenting.record_consent(by=desk["wanda"], slug="ada-vale", given=consent())
        publishing.publish(by=desk["cora"], slug="ada-vale", number=number)
        assert shown().texts[0].headline == "Held for two poems"
        assert newest().state == VersionState.PUBLISHED
        assert list(find_breaks(db.session)) == []


def test_who_has_changed_something_since_the_last_approved_version_may_not_approve(
    app: Flask, desk: dict[str, Actor]
) -> None:
    with app.app_context():
        write(desk["rhea"])
        number = hand_in(desk["wanda"])
        with pytest.raises(NotAllowed):
            reviewing.approve(by=desk["rhea"], slug="ada-vale", number=number, sources_seen=True)
        reviewing.ask_for_change(by=desk["ravi"], slug="ada-vale", number=number, note="Shorter, please.")
        # The next draft holds her words still, though only another changes it now.
        write(desk["willem"])
        number = hand_in(desk["willem"])
        with pytest.raises(NotAllowed):
            reviewing.approve(by=desk["rhea"], slug="ada-vale", number=number, sources_seen=True)
        reviewing.approve(by=desk["ravi"], slug="ada-vale", number=number, sources_seen=True)
        assert newest().state == VersionState.APPROVED
        # After an approval the count begins anew.
        write(desk["wanda"])
        number = hand_in(desk["wanda"])
        reviewing.approve(by=desk["rhea"], slug="ada-vale", number=number, sources_seen=True)


def test_a_coordinator_may_not_approve_what_she_wrote_nor_a_writer_anything(app: Flask, desk: dict[str, Actor]) -> None:
    with app.app_context():
        write(desk["cora"])
        number = hand_in(desk["cora"])
        for name in ("cora", "wanda"):
            with pytest.raises(NotAllowed):
                reviewing.approve(by=desk[name], slug="ada-vale", number=number, sources_seen=True)
        with pytest.raises(Refused):
            publishing.publish(by=desk["cora"], slug="ada-vale", number=number)


def test_reverting_is_a_change_that_somebody_else_approves(app: Flask, desk: dict[str, Actor]) -> None:
    with app.app_context():
        old = document_of(shown()).digest()
        consenting.record_consent(by=desk["wanda"], slug="ada-vale", given=consent())
        number = write(desk["wanda"])
        hand_in(desk["wanda"])
        reviewing.approve(by=desk["rhea"], slug="ada-vale", number=number, sources_seen=True)
        publishing.publish(by=desk["cora"], slug="ada-vale", number=number)
        again = drafting.revert_to(by=desk["rhea"], slug="ada-vale", number=1)
        assert CaseDocument.model_validate(newest().document).digest() == old
        hand_in(desk["rhea"])
        with pytest.raises(NotAllowed):
            reviewing.approve(by=desk["rhea"], slug="ada-vale", number=again, sources_seen=True)
        reviewing.approve(by=desk["cora"], slug="ada-vale", number=again, sources_seen=True)
        publishing.publish(by=desk["cora"], slug="ada-vale", number=again)
        assert document_of(shown()).digest() == old


def test_a_save_over_somebody_elses_words_is_refused_and_loses_nothing(app: Flask, desk: dict[str, Actor]) -> None:
    with app.app_context():
        drafting.begin_draft(by=desk["wanda"], slug="ada-vale")
        opened = newest()
        mine = CaseDocument.model_validate(opened.document)
        theirs = mine.model_copy(deep=True)
        mine.name, theirs.name = "Ada V.", "A. Vale"
        revision = opened.revision
        drafting.save_draft(by=desk["willem"], slug="ada-vale", revision=revision, document=theirs)
        with pytest.raises(SomebodyElseSaved) as refused:
            drafting.save_draft(by=desk["wanda"], slug="ada-vale", revision=revision, document=mine)
        assert refused.value.version.document["name"] == "A. Vale"
        assert newest().document["name"] == "A. Vale"


def test_a_version_that_was_handed_in_is_frozen(app: Flask, desk: dict[str, Actor]) -> None:
    with app.app_context():
        write(desk["wanda"])
        hand_in(desk["wanda"])
        version = newest()
        document = CaseDocument.model_validate(version.document)
        with pytest.raises(Refused):
            drafting.save_draft(by=desk["willem"], slug="ada-vale", revision=version.revision, document=document)
        with pytest.raises(Refused):
            drafting.begin_draft(by=desk["willem"], slug="ada-vale")
        reviewing.take_back(by=desk["wanda"], slug="ada-vale")
        assert drafting.begin_draft(by=desk["wanda"], slug="ada-vale") == version.number + 1


def test_what_was_saved_since_one_looked_is_not_handed_in(app: Flask, desk: dict[str, Actor]) -> None:
    with app.app_context():
        write(desk["wanda"])
        with pytest.raises(Refused):
            reviewing.submit(by=desk["wanda"], slug="ada-vale", revision=newest().revision - 1)


def test_a_draft_with_gaps_is_not_handed_in(app: Flask, desk: dict[str, Actor]) -> None:
    with app.app_context():
        new = drafting.NewCase(slug="nobody-yet", name="Nobody Yet", country="TG", season_id=None)
        slug = drafting.begin_case(by=desk["wanda"], new=new)
        with pytest.raises(Refused):
            hand_in(desk["wanda"], slug)
        with pytest.raises(Refused):
            drafting.begin_case(by=desk["wanda"], new=new)


@pytest.mark.parametrize(
    "given",
    [
        consent(name="Ada V."),
        consent(kinds=["letter"]),
        consent(story=False),
        None,
    ],
    ids=["another form of the name", "fewer kinds of action", "no story", "none at all"],
)
def test_without_consent_that_covers_it_nothing_is_published(
    app: Flask, desk: dict[str, Actor], given: ConsentGiven | None
) -> None:
    with app.app_context():
        number = write(desk["wanda"])
        hand_in(desk["wanda"])
        reviewing.approve(by=desk["rhea"], slug="ada-vale", number=number, sources_seen=True)
        if given:
            consenting.record_consent(by=desk["wanda"], slug="ada-vale", given=given)
        with pytest.raises(Refused):
            publishing.publish(by=desk["cora"], slug="ada-vale", number=number)


def test_with_fewer_than_two_people_on_the_desk_nothing_is_published(app: Flask, desk: dict[str, Actor]) -> None:
    with app.app_context():
        number = write(desk["wanda"])
        hand_in(desk["wanda"])
        reviewing.approve(by=desk["rhea"], slug="ada-vale", number=number, sources_seen=True)
        consenting.record_consent(by=desk["wanda"], slug="ada-vale", given=consent())
        with transaction() as session:
            from wfr.staff.models import Account  # noqa: PLC0415 -- the only test that changes accounts

            for account in session.scalars(select(Account).where(Account.id != desk["cora"].account_id)):
                account.state = "disabled"
        with pytest.raises(Refused, match="fewer than two"):
            publishing.publish(by=desk["cora"], slug="ada-vale", number=number)


def test_evidence_never_says_how_to_reach_the_family(app: Flask, desk: dict[str, Actor]) -> None:
    with app.app_context():
        for evidence in ("ask mother@example.org", "call +228 90 12 34 56", "phone 0044 20 7946 0000"):
            with pytest.raises(Refused):
                consenting.record_consent(by=desk["wanda"], slug="ada-vale", given=consent(evidence=evidence))
        for evidence in ("file 12 of 2026", "safe no. 3, folder 2026-11"):
            consenting.record_consent(by=desk["wanda"], slug="ada-vale", given=consent(evidence=evidence))


def test_when_the_consent_ends_the_case_is_paused_even_before_the_job_ran(app: Flask, desk: dict[str, Actor]) -> None:
    with app.app_context():
        consenting.record_consent(by=desk["wanda"], slug="ada-vale", given=consent())
        with transaction() as session:
            case = lock_case(session, "ada-vale")
            case.consent_ends = utc_now().date() - timedelta(days=1)
        assert shown().standing(utc_now().date()) == "paused"
        assert publishing.pause_lapsed() == 1
        assert shown().status == CaseStatus.PAUSED
        assert publishing.pause_lapsed() == 0


def test_a_consent_that_is_taken_back_pauses_the_case(app: Flask, desk: dict[str, Actor]) -> None:
    with app.app_context():
        consenting.record_consent(by=desk["wanda"], slug="ada-vale", given=consent())
        consenting.revoke_consent(by=desk["rhea"], slug="ada-vale")
        assert shown().status == CaseStatus.PAUSED
        with pytest.raises(Refused):
            publishing.resume(by=desk["cora"], slug="ada-vale")
        consenting.record_consent(by=desk["wanda"], slug="ada-vale", given=consent())
        publishing.resume(by=desk["cora"], slug="ada-vale")
        assert shown().status == CaseStatus.PUBLISHED


def test_a_publication_waits_for_its_hour_and_is_held_if_it_may_not_be(app: Flask, desk: dict[str, Actor]) -> None:
    with app.app_context():
        consenting.record_consent(by=desk["wanda"], slug="ada-vale", given=consent())
        number = write(desk["wanda"], headline="At its hour")
        hand_in(desk["wanda"])
        reviewing.approve(by=desk["rhea"], slug="ada-vale", number=number, sources_seen=True)
        publishing.publish(by=desk["cora"], slug="ada-vale", number=number, at=utc_now() + timedelta(hours=1))
        assert publishing.publish_due() == 0
        _let_the_hour_come()
        consenting.revoke_consent(by=desk["rhea"], slug="ada-vale")
        assert publishing.publish_due() == 0
        held = newest()
        assert held.state == VersionState.APPROVED and held.note and held.publish_at is None
        consenting.record_consent(by=desk["wanda"], slug="ada-vale", given=consent())
        publishing.publish(by=desk["cora"], slug="ada-vale", number=number, at=utc_now() + timedelta(hours=1))
        _let_the_hour_come()
        assert publishing.publish_due() == 1
        assert shown().texts[0].headline == "At its hour"


def _let_the_hour_come() -> None:
    with transaction() as session:
        for version in session.scalars(select(CaseVersion).where(CaseVersion.publish_at.is_not(None))):
            version.publish_at = utc_now() - timedelta(seconds=1)


def test_a_case_closes_at_its_hour(app: Flask, desk: dict[str, Actor]) -> None:
    with app.app_context():
        publishing.close(by=desk["cora"], slug="ada-vale", reason="", at=utc_now() + timedelta(hours=1))
        assert publishing.close_due() == 0
        with transaction() as session:
            lock_case(session, "ada-vale").close_at = utc_now() - timedelta(seconds=1)
        assert publishing.close_due() == 1
        assert shown().status == CaseStatus.CLOSED


def test_one_person_withdraws_and_two_bring_back(app: Flask, desk: dict[str, Actor]) -> None:
    with app.app_context():
        consenting.record_consent(by=desk["wanda"], slug="ada-vale", given=consent())
        with pytest.raises(NotAllowed):
            withdrawing.withdraw(by=desk["wanda"], slug="ada-vale", reason="Her lawyer asked.")
        with pytest.raises(Refused):
            withdrawing.withdraw(by=desk["rhea"], slug="ada-vale", reason="")
        withdrawing.withdraw(by=desk["rhea"], slug="ada-vale", reason="Her lawyer asked.")
        assert shown().status == CaseStatus.WITHDRAWN
        with pytest.raises(Refused):
            withdrawing.agree_return(by=desk["cora"], slug="ada-vale")
        withdrawing.ask_return(by=desk["cora"], slug="ada-vale")
        with pytest.raises(NotAllowed):
            withdrawing.agree_return(by=desk["cora"], slug="ada-vale")
        with pytest.raises(NotAllowed):
            withdrawing.agree_return(by=desk["ravi"], slug="ada-vale")
        withdrawing.agree_return(by=desk["cleo"], slug="ada-vale")
        assert shown().status == CaseStatus.PAUSED


def test_an_approved_version_is_not_published_over_a_later_one(app: Flask, desk: dict[str, Actor]) -> None:
    with app.app_context():
        consenting.record_consent(by=desk["wanda"], slug="ada-vale", given=consent())
        old, new = (_approved(desk, headline) for headline in ("The older one", "The newer one"))
        publishing.publish(by=desk["cora"], slug="ada-vale", number=new)
        with pytest.raises(Refused):
            publishing.publish(by=desk["cora"], slug="ada-vale", number=old)
        assert shown().texts[0].headline == "The newer one"


def _approved(desk: dict[str, Actor], headline: str) -> int:
    number = write(desk["wanda"], headline=headline)
    hand_in(desk["wanda"])
    reviewing.approve(by=desk["rhea"], slug="ada-vale", number=number, sources_seen=True)
    return number


def test_a_withdrawn_case_is_not_published_by_an_approved_version(app: Flask, desk: dict[str, Actor]) -> None:
    with app.app_context():
        consenting.record_consent(by=desk["wanda"], slug="ada-vale", given=consent())
        number = write(desk["wanda"])
        hand_in(desk["wanda"])
        reviewing.approve(by=desk["rhea"], slug="ada-vale", number=number, sources_seen=True)
        publishing.publish(by=desk["cora"], slug="ada-vale", number=number, at=utc_now() + timedelta(hours=1))
        withdrawing.withdraw(by=desk["rhea"], slug="ada-vale", reason="Danger.")
        _let_the_hour_come()
        assert publishing.publish_due() == 0
        assert shown().status == CaseStatus.WITHDRAWN


def test_a_document_becomes_rows_and_comes_back_the_same(app: Flask, season: Cast) -> None:
    with app.app_context():
        for slug in (season.tiny, season.long, season.silent):
            document = document_of(shown(slug))
            assert CaseDocument.model_validate(document.as_json()).digest() == document.digest()
            with transaction() as session:
                apply_document(session, lock_case(session, slug), document)
            assert document_of(shown(slug)).digest() == document.digest()


def test_a_preview_stores_nothing(app: Flask, season: Cast) -> None:
    with app.app_context():
        case = shown()
        document = document_of(case)
        document.name = "Somebody Else"
        before = db.session.scalar(select(func.count()).select_from(Case))
        preview = preview_case(case, document)
        assert preview.name == "Somebody Else" and preview.season is not None
        with transaction() as session:
            session.get(Case, case.id)
        assert shown().name == "Ada Vale"
        assert db.session.scalar(select(func.count()).select_from(Case)) == before


def test_every_step_is_in_the_audit_trail_without_the_words_themselves(app: Flask, desk: dict[str, Actor]) -> None:
    with app.app_context():
        number = write(desk["wanda"], headline="Ada Vale is held")
        hand_in(desk["wanda"])
        reviewing.ask_for_change(by=desk["rhea"], slug="ada-vale", number=number, note="Ask Ada's mother first.")
        consenting.record_consent(by=desk["wanda"], slug="ada-vale", given=consent())
        withdrawing.withdraw(by=desk["rhea"], slug="ada-vale", reason="Ada was threatened.")
        db.session.rollback()
        entries = db.session.scalars(select(AuditEntry).order_by(AuditEntry.number)).all()
        assert [entry.what for entry in entries] == [
            "version.begun",
            "version.saved",
            "version.submitted",
            "version.returned",
            "consent.recorded",
            "case.withdrawn",
        ]
        assert "Ada" not in " ".join(f"{entry.before} {entry.after}" for entry in entries)
        assert entries[1].after["parts"] == ["texts.en.headline"]


def test_what_is_not_there_is_not_found(app: Flask, desk: dict[str, Actor]) -> None:
    with app.app_context():
        with pytest.raises(NoSuchThing):
            drafting.begin_draft(by=desk["wanda"], slug="nobody")
        with pytest.raises(NoSuchThing):
            drafting.revert_to(by=desk["wanda"], slug="ada-vale", number=99)


def test_dates_of_a_consent_must_make_sense(app: Flask, desk: dict[str, Actor]) -> None:
    with app.app_context():
        for given in (consent(ends=date(2020, 1, 1)), consent(checked_on=utc_now().date() + timedelta(days=1))):
            with pytest.raises(Refused):
                consenting.record_consent(by=desk["wanda"], slug="ada-vale", given=given)


def test_a_case_can_be_deleted_with_its_versions(app: Flask, desk: dict[str, Actor]) -> None:
    with app.app_context():
        new = drafting.NewCase(slug="nobody-yet", name="Nobody Yet", country="TG", season_id=None)
        drafting.begin_case(by=desk["wanda"], new=new)
        with transaction() as session:
            session.execute(delete(Case).where(Case.slug == "nobody-yet"))
        assert db.session.scalar(select(func.count()).select_from(CaseVersion)) == 0
