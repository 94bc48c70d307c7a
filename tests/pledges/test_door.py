"""Who may pledge: proofs bound to tickets, limits per address, and known tickets before all of it."""

from __future__ import annotations

import base64
import html
import json
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import altcha
import pytest
import time_machine
from flask import Flask

from tests.acting import TICKET, fill_in, text_of, ticket_in
from tests.conftest import close_database, make_settings
from tests.factories import Cast, make_season
from tests.linting import LintingClient
from wfr import create_app
from wfr.extensions import address_key
from wfr.pledges.proofs import Proof, ProofDesk
from wfr.pledges.tickets import TicketOffice

OFFICE = TicketOffice([b"key"])


@pytest.fixture
def strict(database_url: str, tmp_path: Path) -> Iterator[LintingClient]:
    """A visitor of a site that takes two pledges an hour with a proof and one without."""
    limits = {"WFR_LIMIT_PLEDGES": "2 per hour", "WFR_LIMIT_PLEDGES_WITHOUT_PROOF": "1 per hour"}
    app = create_app(make_settings(tmp_path, database_url, **limits))
    app.test_client_class = LintingClient
    with app.app_context():
        make_season()
    client = app.test_client()
    assert isinstance(client, LintingClient)
    yield client
    close_database(app)


def solve(challenge: str) -> str:
    """Return what the browser sends for a challenge."""
    read = altcha.Challenge.from_dict(json.loads(challenge))
    solution = altcha.solve_challenge(read)
    assert solution
    return str(altcha.Payload(read, solution).to_base64())


def challenge_in(page: str) -> str:
    found = re.search(r'data-challenge="([^"]+)"', page)
    assert found, "the page sets no challenge"
    return html.unescape(found[1])


def test_a_solved_challenge_is_good_for_its_own_ticket_only() -> None:
    desk = ProofDesk(b"secret", cost=5, max_age_seconds=60)
    mine, other = OFFICE.issue(), OFFICE.issue()
    payload = solve(desk.challenge(mine))
    assert desk.check(payload, mine) is Proof.GOOD
    assert desk.check(payload, other) is Proof.BAD
    assert desk.check("", mine) is Proof.ABSENT


def test_a_proof_cannot_be_made_cheaper_or_signed_by_others() -> None:
    desk = ProofDesk(b"secret", cost=5, max_age_seconds=60)
    ticket = OFFICE.issue()
    for other in (
        ProofDesk(b"stranger", cost=5, max_age_seconds=60),
        ProofDesk(b"secret", cost=4, max_age_seconds=60),
    ):
        assert desk.check(solve(other.challenge(ticket)), ticket) is Proof.BAD


@pytest.mark.parametrize("payload", ["x", "e30=", base64.b64encode(b'{"challenge": 1}').decode(), "A" * 5000, "[]"])
def test_nonsense_is_a_bad_proof_and_never_an_error(payload: str) -> None:
    desk = ProofDesk(b"secret", cost=5, max_age_seconds=60)
    assert desk.check(payload, OFFICE.issue()) is Proof.BAD


def test_a_proof_grows_old() -> None:
    desk = ProofDesk(b"secret", cost=5, max_age_seconds=60)
    ticket = OFFICE.issue()
    payload = solve(desk.challenge(ticket))
    with time_machine.travel(time.time() + 61):
        assert desk.check(payload, ticket) is Proof.BAD


def test_without_a_proof_the_limit_is_stricter(strict: LintingClient) -> None:
    path = "/cases/ada-vale/letter"
    assert strict.post(path, data=fill_in(strict, path)).status_code == 200
    refused = strict.post(path, data=fill_in(strict, path, own_words="I am a baker."))
    assert refused.status_code == 429
    assert "I am a baker." in text_of(refused)
    assert refused.headers["Retry-After"] == "3600"


def test_a_proof_of_work_opens_the_wider_limit(strict: LintingClient) -> None:
    path = "/cases/ada-vale/letter"
    statuses = []
    for _ in range(3):
        page = strict.get(path)
        form = {
            "ticket": ticket_in(page),
            "country": "TG",
            "altcha": solve(challenge_in(page.get_data(as_text=True))),
        }
        statuses.append(strict.post(path, data=form).status_code)
    assert statuses == [200, 200, 429]


def test_a_known_ticket_gets_its_answer_again_whatever_the_limit_says(strict: LintingClient) -> None:
    path = "/cases/ada-vale/letter"
    form = fill_in(strict, path)
    assert [strict.post(path, data=form).status_code for _ in range(4)] == [200] * 4


def test_a_wrong_proof_gets_a_fresh_form_with_the_words_kept(strict: LintingClient) -> None:
    path = "/cases/ada-vale/letter"
    refused = strict.post(path, data=fill_in(strict, path, altcha="nonsense", own_words="I am a baker."))
    assert refused.status_code == 422
    assert "I am a baker." in text_of(refused)
    assert challenge_in(refused.get_data(as_text=True))


@pytest.mark.parametrize("forge", [lambda _: "forged", lambda ticket: ticket[:-3] + "abc", lambda _: ""])
def test_a_forged_ticket_gets_a_fresh_form_with_the_words_kept(
    visitor: LintingClient, season: Cast, forge: Callable[[str], str]
) -> None:
    path = f"/cases/{season.tiny}/letter"
    form = fill_in(visitor, path, own_words="I am a baker.")
    refused = visitor.post(path, data={**form, "ticket": forge(form["ticket"])})
    assert refused.status_code == 422
    assert "I am a baker." in text_of(refused)
    fresh = TICKET.search(refused.get_data(as_text=True))
    assert fresh and visitor.post(path, data={**form, "ticket": fresh[1]}).status_code == 200


def test_an_expired_ticket_gets_a_fresh_form_unless_it_is_known(
    app: Flask, visitor: LintingClient, season: Cast
) -> None:
    path = f"/cases/{season.tiny}/letter"
    used, unused = fill_in(visitor, path), fill_in(visitor, path, own_words="I am a baker.")
    assert visitor.post(path, data=used).status_code == 200
    with time_machine.travel(time.time() + 25 * 3600):
        assert visitor.post(path, data=used).status_code == 200
        late = visitor.post(path, data=unused)
        assert late.status_code == 422
        assert "expired" in text_of(late) and "I am a baker." in text_of(late)


def test_addresses_are_counted_under_a_key_that_changes_daily(app: Flask) -> None:
    def key(address: str) -> str:
        with app.test_request_context("/", environ_base={"REMOTE_ADDR": address}):
            return address_key()

    assert key("192.0.2.1") == key("192.0.2.1") != key("192.0.2.2")
    assert "192.0.2.1" not in key("192.0.2.1")
    with time_machine.travel(time.time() + 86_400):
        tomorrow = key("192.0.2.1")
    assert tomorrow != key("192.0.2.1")
