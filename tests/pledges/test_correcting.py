"""Corrections: entries of the ledger that two people make, and nobody alone."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask
from sqlalchemy import select, update

from tests.acting import act, text_of
from tests.cases.test_public_pages import forget_everything, set_status
from tests.factories import Cast
from tests.linting import LintingClient
from tests.staffing import Colleague, colleague, make_account
from wfr.cases.models import Case, CaseStatus, Kind
from wfr.errors import NotAllowed, Refused
from wfr.extensions import db
from wfr.pledges.correcting import enter_correction, propose_correction, refuse_correction
from wfr.pledges.models import Correction, TallyCount
from wfr.pledges.queries import board
from wfr.pledges.tallying import Count, find_drift, read_figures
from wfr.staff.auditing import find_breaks
from wfr.staff.models import SHELL, Actor, AuditEntry, Role

REASON = "400 letters that a choir in Lomé sent by post"


@pytest.fixture
def pair(app: Flask, season: Cast) -> tuple[Actor, Actor]:
    """Return two coordinators."""
    with app.app_context():
        return tuple(Actor(make_account(name, Role.COORDINATOR).id) for name in ("ines", "tomas"))  # type: ignore[return-value]


def case_id_of(slug: str) -> int:
    found = db.session.scalar(select(Case.id).where(Case.slug == slug))
    assert found is not None
    return found


def propose(season: Cast, by: Actor, number: int = 400, **changes: object) -> int:
    values = {"case_id": case_id_of(season.tiny), "kind": Kind.LETTER, "country": "TG", "reason": REASON, **changes}
    return propose_correction(number=number, by=by, **values).id  # type: ignore[arg-type]


def counted(season: Cast, kind: str = "letter") -> Count:
    assert find_drift(db.session) == []
    figures = read_figures(db.session).get(case_id_of(season.tiny))
    return figures.kinds[kind] if figures else Count()


def test_a_correction_counts_once_a_second_person_has_entered_it(
    app: Flask, season: Cast, pair: tuple[Actor, Actor]
) -> None:
    with app.app_context():
        made = propose(season, pair[0])
        assert counted(season) == Count()
        entered = enter_correction(correction_id=made, by=pair[1])
        assert (entered.state, entered.proposed_by, entered.decided_by) == (
            "entered",
            pair[0].account_id,
            pair[1].account_id,
        )
        assert counted(season) == Count(400, 400)
        with pytest.raises(Refused):
            enter_correction(correction_id=made, by=pair[1])
        with pytest.raises(Refused):
            refuse_correction(correction_id=made, by=pair[1])
        assert counted(season) == Count(400, 400)


def test_whoever_proposed_it_may_neither_enter_nor_refuse_it(
    app: Flask, season: Cast, pair: tuple[Actor, Actor]
) -> None:
    with app.app_context():
        made = propose(season, pair[0])
        for verb in (enter_correction, refuse_correction):
            for by in (pair[0], SHELL):
                with pytest.raises(NotAllowed):
                    verb(correction_id=made, by=by)
        assert counted(season) == Count()


def test_a_refused_correction_never_counts(app: Flask, season: Cast, pair: tuple[Actor, Actor]) -> None:
    with app.app_context():
        made = propose(season, pair[0])
        refuse_correction(correction_id=made, by=pair[1])
        with pytest.raises(Refused):
            enter_correction(correction_id=made, by=pair[1])
        assert counted(season) == Count()


@pytest.mark.parametrize(
    "changes", [{"number": 0}, {"number": 100_001}, {"number": -100_001}, {"country": "XX"}, {"reason": " "}]
)
def test_what_is_no_correction_is_refused(
    app: Flask, season: Cast, pair: tuple[Actor, Actor], changes: dict[str, object]
) -> None:
    with app.app_context(), pytest.raises(Refused):
        propose(season, pair[0], **changes)  # type: ignore[arg-type]


def test_a_minus_never_takes_more_than_counts_as_done(
    app: Flask, visitor: LintingClient, season: Cast, pair: tuple[Actor, Actor]
) -> None:
    act(visitor, season.tiny)
    with app.app_context():
        enter_correction(correction_id=propose(season, pair[0], 10), by=pair[1])
        # Eleven are pledged and ten of them done.
        with pytest.raises(Refused):
            enter_correction(correction_id=propose(season, pair[0], -11), by=pair[1])
        with pytest.raises(Refused):
            enter_correction(correction_id=propose(season, pair[0], -1, country="PT"), by=pair[1])
        enter_correction(correction_id=propose(season, pair[0], -10), by=pair[1])
        assert counted(season) == Count(1, 0)


def test_simulated_actions_are_not_corrected_away(app: Flask, season: Cast, pair: tuple[Actor, Actor]) -> None:
    with app.app_context():
        enter_correction(correction_id=propose(season, pair[0], 10), by=pair[1])
        db.session.execute(update(TallyCount).values(simulated=6))
        db.session.commit()
        with pytest.raises(Refused):
            enter_correction(correction_id=propose(season, pair[0], -5), by=pair[1])


def test_two_corrections_at_once_do_not_take_the_same_actions_twice(
    app: Flask, season: Cast, pair: tuple[Actor, Actor]
) -> None:
    with app.app_context():
        enter_correction(correction_id=propose(season, pair[0], 50), by=pair[1])
        waiting = [propose(season, pair[0], -50) for _ in range(6)]

    def enter(made: int) -> bool:
        with app.app_context():
            try:
                enter_correction(correction_id=made, by=pair[1])
            except Refused:
                return False
            return True

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(enter, waiting)) == 1
    with app.app_context():
        assert counted(season) == Count()


@pytest.mark.parametrize("status", [CaseStatus.WITHDRAWN, CaseStatus.DRAFT])
def test_a_withdrawn_case_is_not_corrected(
    app: Flask, season: Cast, pair: tuple[Actor, Actor], status: CaseStatus
) -> None:
    with app.app_context():
        made = propose(season, pair[0])
    set_status(app, season.tiny, status)
    with app.app_context():
        with pytest.raises(Refused):
            enter_correction(correction_id=made, by=pair[1])
        with pytest.raises(Refused):
            propose(season, pair[0])
        assert counted(season) == Count()


def test_each_step_is_in_the_audit_trail_without_its_words(app: Flask, season: Cast, pair: tuple[Actor, Actor]) -> None:
    with app.app_context():
        enter_correction(correction_id=propose(season, pair[0]), by=pair[1])
        refuse_correction(correction_id=propose(season, pair[0]), by=pair[1])
        trail = list(db.session.scalars(select(AuditEntry).order_by(AuditEntry.number)))
        assert [entry.what for entry in trail] == [
            "correction.proposed",
            "correction.entered",
            "correction.proposed",
            "correction.refused",
        ]
        assert trail[0].thing == trail[1].thing
        assert trail[0].after["number"] == 400 and "choir" not in str(trail[0].after)
        assert list(find_breaks(db.session)) == []


def test_drift_shows_a_correction_whose_counters_did_not_move(
    app: Flask, season: Cast, pair: tuple[Actor, Actor]
) -> None:
    with app.app_context():
        made = propose(season, pair[0])
        db.session.execute(update(Correction).where(Correction.id == made).values(state="entered"))
        db.session.commit()
        (drift,) = find_drift(db.session)
        assert (drift.ledger, drift.tally) == (Count(400, 400), Count())


def test_the_public_json_says_how_much_of_the_total_are_corrections(
    app: Flask, visitor: LintingClient, season: Cast, pair: tuple[Actor, Actor]
) -> None:
    act(visitor, season.tiny)
    with app.app_context():
        enter_correction(correction_id=propose(season, pair[0]), by=pair[1])
        propose(season, pair[0], 7)
    forget_everything(app)
    figures = visitor.get("/tally.json").get_json()
    assert figures["corrections"] == 400
    assert figures["total"]["letter"] == {"pledged": 401, "taken": 400}
    assert figures["cases"][season.tiny]["letter"] == {"pledged": 401, "taken": 400}
    with app.app_context():
        assert (board().world.pledged, board().corrections) == (401, 400)


def test_how_we_count_shows_corrections_and_names_no_withdrawn_case(
    app: Flask, visitor: LintingClient, season: Cast, pair: tuple[Actor, Actor]
) -> None:
    assert "There is none so far." in text_of(visitor.get("/how-we-count"))
    with app.app_context():
        enter_correction(correction_id=propose(season, pair[0]), by=pair[1])
        enter_correction(correction_id=propose(season, pair[0], -12), by=pair[1])
        propose(season, pair[0], 77, reason="not yet")
    forget_everything(app)
    app.extensions["wfr.kept"].forget("corrections")
    page = text_of(visitor.get("/how-we-count"))
    assert f"Ada Vale Letters, Togo {REASON} +400" in page and "-12" in page and "not yet" not in page
    set_status(app, season.tiny, CaseStatus.WITHDRAWN)
    page = text_of(visitor.get("/how-we-count"))
    assert "Ada" not in page and "Lomé" not in page
    assert "Cases that are no longer shown 2 corrections +388" in page


def correction_fields(app: Flask, season: Cast, **changes: str) -> dict[str, str]:
    with app.app_context():
        case_id = case_id_of(season.tiny)
    return {"case": str(case_id), "kind": "letter", "country": "TG", "number": "400", "reason": REASON, **changes}


class TestAtTheDesk:
    """The same by the pages."""

    @pytest.fixture
    def ines(self, app: Flask) -> Colleague:
        return colleague(app, "ines", Role.COORDINATOR)

    @pytest.fixture
    def tomas(self, app: Flask) -> Colleague:
        return colleague(app, "tomas", Role.COORDINATOR)

    def test_one_proposes_and_another_enters(self, app: Flask, season: Cast, ines: Colleague, tomas: Colleague) -> None:
        answer = ines.send("/desk/corrections", **correction_fields(app, season))
        assert (answer.status_code, answer.headers["Location"]) == (303, "/desk/corrections")
        assert "Another coordinator decides." in text_of(ines.get("/desk/corrections"))
        assert ines.send("/desk/corrections/1/enter").status_code == 403
        assert ines.send("/desk/corrections/1/refuse").status_code == 403
        assert "Enter it" in text_of(tomas.get("/desk/corrections"))
        assert "1 correction waits for you" in text_of(tomas.get("/desk/numbers"))
        assert "waits for you" not in text_of(ines.get("/desk/numbers"))
        assert tomas.send("/desk/corrections/1/enter").status_code == 303
        assert "Entered by tomas" in text_of(ines.get("/desk/corrections"))
        assert tomas.send("/desk/corrections/1/enter").status_code == 409
        assert tomas.send("/desk/corrections/99/enter").status_code == 404

    def test_entering_asks_for_a_fresh_code(self, app: Flask, season: Cast, ines: Colleague) -> None:
        ines.send("/desk/corrections", **correction_fields(app, season))
        tired = colleague(app, "tomas", Role.COORDINATOR, fresh=False)
        assert "A fresh code" in text_of(tired.send("/desk/corrections/1/enter"))
        assert tired.send("/desk/corrections/1/refuse").status_code == 303

    @pytest.mark.parametrize(
        ("field", "value", "words"),
        [
            ("number", "0", "the number is zero"),
            ("number", "many", "Not a valid integer value"),
            ("number", "100001", "at most 100,000 actions"),
            ("case", "", "Choose a case"),
            ("country", "XX", "Choose the country"),
            ("kind", "", "Choose what was sent"),
            ("reason", "", "Say why"),
            ("reason", "x" * 301, "at most 300 characters"),
        ],
    )
    def test_a_mistake_is_said_beside_its_field(
        self, app: Flask, season: Cast, ines: Colleague, field: str, value: str, words: str
    ) -> None:
        answer = ines.send("/desk/corrections", **correction_fields(app, season, **{field: value}))
        assert answer.status_code == 422
        assert words in text_of(answer)

    def test_others_may_not(self, app: Flask) -> None:
        reviewer = colleague(app, "rosa", Role.REVIEWER)
        assert reviewer.get("/desk/corrections").status_code == 403
        for path in ("/desk/corrections", "/desk/corrections/1/enter", "/desk/corrections/1/refuse"):
            assert reviewer.send(path).status_code == 403
