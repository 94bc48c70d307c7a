"""What the desk sees of a season: totals, days, spikes; and what it takes along as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from uuid import uuid4

import pytest
import time_machine
from flask import Flask
from hypothesis import example, given
from hypothesis import strategies as st
from sqlalchemy import select

from tests.acting import act, text_of
from tests.factories import Cast, make_case, make_season
from tests.linting import LintingClient
from tests.staffing import Colleague, colleague, make_account
from wfr.cases.models import Case, CaseStatus, Kind, Season
from wfr.cases.queries import today
from wfr.extensions import db, transaction, utc_now
from wfr.pledges.charting import HEIGHT, MARK_ROOM, bar_chart, round_up
from wfr.pledges.correcting import enter_correction, propose_correction
from wfr.pledges.exporting import BYTE_ORDER_MARK, COLUMNS, text_cell, write_csv
from wfr.pledges.models import Pledge
from wfr.pledges.pledging import Promise, mark_taken, pledge, withdraw
from wfr.pledges.season_figures import Ledger, ledger_of
from wfr.pledges.spotting import AT_LEAST, is_spike
from wfr.pledges.tallying import Change, change_count
from wfr.staff.models import Actor, AuditEntry, Role

NOON = datetime.combine(datetime.now(UTC).date(), datetime.min.time()) + timedelta(hours=12)


@pytest.fixture(autouse=True)
def at_noon() -> Iterator[None]:
    """The days of these tests are whole days, whenever they run."""
    with time_machine.travel(NOON.replace(tzinfo=UTC)):
        yield


def case_id_of(slug: str) -> int:
    found = db.session.scalar(select(Case.id).where(Case.slug == slug))
    assert found is not None
    return found


def pledge_many(slug: str, number: int, *, ago: timedelta = timedelta(), **changes: object) -> None:
    """Add pledges of the past to ledger and tally."""
    case_id = case_id_of(slug)
    values = {"kind": "letter", "country": "TG", "language": "en", "simulated": False, **changes}
    with transaction() as session:
        for _ in range(number):
            session.add(Pledge(id=uuid4(), case_id=case_id, pledged_at=utc_now() - ago, **values))
        key = (case_id, str(values["kind"]), str(values["country"]))
        change_count(session, key, Change(number, 0, number if values["simulated"] else 0))


class TestSpikes:
    """The rule, without a database."""

    @pytest.fixture
    def database_url(self) -> str:
        """Need none."""
        return "sqlite://"

    def test_what_is_usual_is_no_spike(self) -> None:
        assert not is_spike(120, [100, 110, 95, 105, 90])
        assert is_spike(200, [100, 110, 95, 105, 90])

    def test_few_actions_are_never_a_spike(self) -> None:
        assert not is_spike(AT_LEAST - 1, [0] * 14)
        assert is_spike(AT_LEAST, [0] * 14)

    def test_nothing_is_a_spike_before_anything_is_usual(self) -> None:
        assert not is_spike(10_000, [1, 1, 1, 1])

    def test_a_day_without_scatter_does_not_make_the_next_action_one(self) -> None:
        assert not is_spike(102, [100] * 14)
        assert is_spike(105, [100] * 14)

    @given(st.lists(st.integers(0, 10_000), min_size=3, max_size=14), st.integers(0, 10_000))
    def test_more_actions_are_never_less_of_a_spike(self, past: list[int], count: int) -> None:
        assert is_spike(count + 1, past) >= is_spike(count, past)

    @given(st.lists(st.tuples(st.integers(0, 10**7), st.integers(0, 10**7)), max_size=200))
    def test_no_bar_leaves_its_chart(self, counts: list[tuple[int, int]]) -> None:
        counts = [(max(pair), min(pair)) for pair in counts]
        chart = bar_chart(counts)
        for bar in chart.bars:
            assert 0 <= bar.simulated <= bar.height <= HEIGHT - MARK_ROOM + 0.01
            assert abs(bar.y + bar.height - HEIGHT) < 0.02
            assert 0 <= bar.x < chart.width
        assert all(one.x < other.x for one, other in pairwise(chart.bars))

    @given(st.integers(0, 10**9))
    def test_the_scale_ends_at_a_round_figure(self, figure: int) -> None:
        assert figure <= round_up(figure) <= max(10, figure * 4 / 3)
        assert len(str(round_up(figure)).rstrip("0")) <= 2


def read(season: Cast) -> Ledger:
    found = db.session.scalars(select(Season)).one()
    ids = list(db.session.scalars(select(Case.id)))
    return ledger_of(db.session, found, ids, utc_now())


def test_days_are_counted_by_when_it_was_pledged_without_what_was_taken_back(app: Flask, season: Cast) -> None:
    with app.app_context():
        pledge_many(season.tiny, 3)
        pledge_many(season.tiny, 2, ago=timedelta(hours=13))
        pledge_many(season.long, 1, ago=timedelta(days=2), simulated=True)
        pledge_many(season.long, 5, ago=timedelta(days=2), state="withdrawn")
        days = read(season).days
    assert [day.actions for day in days[-4:]] == [0, 1, 2, 3]
    assert [day.simulated for day in days[-4:]] == [0, 1, 0, 0]
    assert (days[0].day, days[-1].day, len(days)) == (today() - timedelta(days=10), today(), 11)


def test_a_day_that_stands_out_is_marked(app: Flask, season: Cast) -> None:
    with app.app_context():
        for ago in range(1, 9):
            pledge_many(season.tiny, 4 + ago % 3, ago=timedelta(days=ago))
        pledge_many(season.tiny, 40)
        spikes = [day.day for day in read(season).days if day.spike]
    assert spikes == [today()]


def test_a_flood_for_one_case_from_one_country_is_something_to_look_at(app: Flask, season: Cast) -> None:
    with app.app_context():
        for ago in range(1, 9):
            pledge_many(season.long, 60, ago=timedelta(days=ago), country="DE")
        pledge_many(season.long, 62, country="DE")
        pledge_many(season.tiny, 35, ago=timedelta(hours=20), country="NU")
        ledger = read(season)
        (rise,) = ledger.rises
        assert (rise.case_id, rise.country, rise.actions, rise.usual) == (case_id_of(season.tiny), "NU", 35, 0)
    (hour,) = ledger.hours
    assert (hour.begins, hour.actions) == (NOON - timedelta(hours=20), 35)


def test_the_first_days_of_a_season_are_compared_with_nothing(app: Flask) -> None:
    with app.app_context():
        cast = make_season(opens=today() - timedelta(days=2))
        pledge_many(cast.tiny, 200)
        ledger = read(cast)
    assert (ledger.rises, ledger.hours, [day.actions for day in ledger.days]) == ([], [], [0, 0, 200])


class TestPage:
    """The page of numbers."""

    @pytest.fixture
    def writer(self, app: Flask) -> Colleague:
        return colleague(app, "wanda", Role.WRITER)

    def test_it_adds_up(self, app: Flask, season: Cast, writer: Colleague) -> None:
        with app.app_context():
            pledge_many(season.tiny, 5, ago=timedelta(days=1))
            pledge_many(season.long, 2, kind="email", country="PT", simulated=True)
            stray = make_case(None, "stray", "Una Stray")
            db.session.commit()
            pledge_many(stray.slug, 9)
            ines, tomas = (Actor(make_account(name, Role.COORDINATOR).id) for name in ("ines", "tomas"))
            made = propose_correction(
                case_id=case_id_of(season.tiny), kind=Kind.LETTER, country="TG", number=400, reason="A choir", by=ines
            )
            enter_correction(correction_id=made.id, by=tomas)
        page = text_of(writer.get("/desk/numbers"))
        assert "Actions pledged 407 of 1,000 of these done 400 Today 2 Yesterday 5 Days left 30" in page
        assert "40% of the goal" in page
        assert "2 of these actions are simulated" in page
        assert "Ada Vale 405 0 0 0 405 400 0" in page
        assert "Together 405 2 0 0 407 400 2" in page
        assert "Togo 405 400 0" in page and "Portugal 2 0 2" in page
        assert "Corrections (+400) are in the totals above and in no day." in page
        assert "9 actions for cases outside this season" in page

    def test_a_withdrawn_case_stays_in_the_count(self, app: Flask, season: Cast, writer: Colleague) -> None:
        with app.app_context():
            pledge_many(season.tiny, 5)
            case = db.session.get(Case, case_id_of(season.tiny))
            assert case
            case.status = CaseStatus.WITHDRAWN
            db.session.commit()
        page = text_of(writer.get("/desk/numbers"))
        assert "Actions pledged 5" in page and "Ada Vale withdrawn 5" in page

    def test_the_rest_of_the_countries_is_one_line(self, app: Flask, season: Cast, writer: Colleague) -> None:
        codes = [a + b for a, b in zip("DUGFNCIEPACBSNIAPNJBAMK", "ESBRLATSLUHEEOETTZPRRXE", strict=True)]
        with app.app_context():
            for number, code in enumerate(codes):
                pledge_many(season.tiny, 30 - number, country=code)
        page = text_of(writer.get("/desk/numbers"))
        assert "Brazil 11" in page and "Argentina" not in page.split("Country by country")[1]
        assert "All other countries 27 0" in page

    def test_without_a_season_it_says_so(self, app: Flask) -> None:
        page = text_of(colleague(app, "wanda").get("/desk/numbers"))
        assert "No season yet" in page

    def test_a_coming_season_has_no_days(self, app: Flask) -> None:
        with app.app_context():
            make_season(opens=today() + timedelta(days=5))
        assert "The season has not opened." in text_of(colleague(app, "wanda").get("/desk/numbers"))

    def test_names_are_shown_as_they_are_and_run_nothing(self, app: Flask, season: Cast, writer: Colleague) -> None:
        with app.app_context():
            make_case(db.session.merge(season.season), "x", "<script>alert(1)</script>")
            db.session.commit()
        assert "&lt;script&gt;" in writer.get("/desk/numbers").get_data(as_text=True)

    def test_a_writer_sees_no_export_and_is_refused_one(self, writer: Colleague) -> None:
        assert "Download as CSV" not in text_of(writer.get("/desk/numbers"))
        assert writer.send("/desk/numbers/export").status_code == 403


def exported(client: Colleague) -> list[dict[str, str]]:
    answer = client.send("/desk/numbers/export")
    assert answer.status_code == 200 and answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert f'filename="actions-{today().isoformat()}.csv"' in answer.headers["Content-Disposition"]
    assert answer.headers["Cache-Control"] == "no-store"
    text = answer.data.decode("utf-8")
    assert text.startswith(BYTE_ORDER_MARK) and text.endswith("\r\n")
    reader = csv.DictReader(io.StringIO(text.removeprefix(BYTE_ORDER_MARK), newline=""), strict=True)
    assert tuple(reader.fieldnames or ()) == COLUMNS
    return list(reader)


class TestExport:
    """The file."""

    @pytest.fixture
    def ines(self, app: Flask) -> Colleague:
        return colleague(app, "ines", Role.COORDINATOR)

    def test_it_holds_every_action_and_says_so_in_the_trail(self, app: Flask, season: Cast, ines: Colleague) -> None:
        with app.app_context():
            pledge_many(season.tiny, 3, ago=timedelta(days=1))
            done, gone = (Promise(uuid4(), case_id_of(season.tiny), Kind.EMAIL, "PT", "en") for _ in range(2))
            pledge([done, gone])
            mark_taken(done.id)
            withdraw(gone.id)
            tomas, uma = (Actor(make_account(name, Role.COORDINATOR).id) for name in ("tomas", "uma"))
            for number in (40, -12):
                made = propose_correction(
                    case_id=case_id_of(season.tiny), kind=Kind.POST, country="TG", number=number, reason="x", by=tomas
                )
                enter_correction(correction_id=made.id, by=uma)
        day, before = today().isoformat(), (today() - timedelta(days=1)).isoformat()
        rows = [list(row.values()) for row in exported(ines)]
        assert rows == [
            [before, "Ada Vale", "letter", "TG", "3", "0", "0", "0", "0", "0"],
            [day, "Ada Vale", "email", "PT", "1", "1", "1", "0", "0", "0"],
            [day, "Ada Vale", "post", "TG", "0", "0", "0", "28", "0", "0"],
        ]
        with app.app_context():
            (entry,) = db.session.scalars(select(AuditEntry).where(AuditEntry.what == "actions.exported"))
            assert (entry.account_id, entry.after) == (ines.account_id, {"rows": 3})

    def test_pledged_and_corrections_add_up_to_the_count(
        self, visitor: LintingClient, season: Cast, ines: Colleague
    ) -> None:
        for kind in ("letter", "email", "post"):
            act(visitor, season.tiny, kind)
        act(visitor, season.long, country="DE")
        rows = exported(ines)
        assert sum(int(row["pledged"]) + int(row["corrections"]) for row in rows) == 4

    def test_a_case_named_like_a_formula_is_words(self, app: Flask, season: Cast, ines: Colleague) -> None:
        with app.app_context():
            make_case(db.session.merge(season.season), "sum", '=HYPERLINK("http://example.org")')
            db.session.commit()
            pledge_many("sum", 1)
        assert [row["case"] for row in exported(ines)] == ['\'=HYPERLINK("http://example.org")']

    def test_whoever_was_withdrawn_is_not_named(self, app: Flask, season: Cast, ines: Colleague) -> None:
        with app.app_context():
            pledge_many(season.tiny, 1)
            case = db.session.get(Case, case_id_of(season.tiny))
            assert case
            case.status = CaseStatus.WITHDRAWN
            db.session.commit()
            words = f"withdrawn case {case.id}"
        assert [row["case"] for row in exported(ines)] == [words]

    def test_it_asks_for_a_fresh_code(self, app: Flask) -> None:
        tired = colleague(app, "tomas", Role.COORDINATOR, fresh=False)
        assert "A fresh code" in text_of(tired.send("/desk/numbers/export"))


BEGINNINGS = st.sampled_from(
    ["=", "+", "-", "@", "\t", "\r", "\n", "\ufeff", "\u200b", " ", "＝", "＋", "－", "＠", "−", "﹦", "'"]
)


class TestCells:
    """Any words at all."""

    @pytest.fixture
    def database_url(self) -> str:
        """Need none."""
        return "sqlite://"

    @given(st.lists(st.tuples(st.builds(str.__add__, BEGINNINGS | st.just(""), st.text()), st.integers()), max_size=30))
    @example([("=1+1", -1), ("\u200b＝1", 0), ("a\r\n=2", 3), ('","=3', 4)])
    def test_no_cell_of_words_begins_a_formula_and_none_loses_a_character(self, rows: list[tuple[str, int]]) -> None:
        rows = [(words.replace("\0", ""), number) for words, number in rows]
        text = "".join(write_csv(("words", "number"), rows))
        assert text.startswith(BYTE_ORDER_MARK)
        lines = list(csv.reader(io.StringIO(text.removeprefix(BYTE_ORDER_MARK), newline=""), strict=True))
        assert lines[0] == ["words", "number"]
        assert len(lines) == len(rows) + 1
        for (words, number), (cell, figure) in zip(rows, lines[1:], strict=True):
            assert cell in (words, f"'{words}")
            assert cell[:1] not in {*"=+-@\t\r\n＝＋－＠−"}
            assert cell.lstrip()[:1] not in {*"=+-@＝＋－＠"}
            assert figure == str(number)

    def test_ordinary_names_stay_as_they_are(self) -> None:
        for name in ("Ada Vale", "Jean-Luc", "'t Hooft", "Ünal", "شيرين", ""):
            assert text_cell(name) == name

    def test_a_long_export_comes_in_pieces(self) -> None:
        pieces = list(write_csv(("n",), ((number,) for number in range(1_234))))
        assert len(pieces) == 3
        assert "".join(pieces).count("\r\n") == 1_235
