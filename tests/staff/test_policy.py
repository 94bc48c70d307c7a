"""Who may do what: every desk route with every method, every role and every sort of object."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count, product
from typing import Any

import pytest
from flask import Flask
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from tests.factories import Cast, make_case
from tests.network.mailings import make_issue, make_mailing, make_urgent_case
from tests.staffing import Colleague, colleague, make_account
from wfr.cases.models import CaseStatus
from wfr.extensions import db
from wfr.network.models import MailingState
from wfr.staff.models import AccountState, Role
from wfr.staff.policy import policy_of

ANYONE, WRITER, REVIEWER, COORDINATOR = None, Role.WRITER, Role.REVIEWER, Role.COORDINATOR
FRESH, NOT_FRESH = True, False

ROUTES: dict[str, tuple[Role | None, bool]] = {
    "/desk/ GET": (WRITER, NOT_FRESH),
    "/desk/accounts GET": (COORDINATOR, NOT_FRESH),
    "/desk/accounts/<int:account_id> GET": (COORDINATOR, NOT_FRESH),
    "/desk/accounts/<int:account_id>/agree POST": (COORDINATOR, FRESH),
    "/desk/accounts/<int:account_id>/disable POST": (COORDINATOR, FRESH),
    "/desk/accounts/<int:account_id>/enable POST": (COORDINATOR, FRESH),
    "/desk/accounts/<int:account_id>/invite POST": (COORDINATOR, FRESH),
    "/desk/accounts/<int:account_id>/refuse POST": (COORDINATOR, FRESH),
    "/desk/accounts/<int:account_id>/reset POST": (COORDINATOR, FRESH),
    "/desk/accounts/<int:account_id>/role POST": (COORDINATOR, FRESH),
    "/desk/accounts/new GET": (COORDINATOR, NOT_FRESH),
    "/desk/accounts/propose POST": (COORDINATOR, FRESH),
    "/desk/audit GET": (COORDINATOR, NOT_FRESH),
    "/desk/cases GET+POST": (WRITER, NOT_FRESH),
    "/desk/cases/<slug> GET": (WRITER, NOT_FRESH),
    "/desk/cases/<slug>/agree-return POST": (COORDINATOR, FRESH),
    "/desk/cases/<slug>/approve POST": (REVIEWER, NOT_FRESH),
    "/desk/cases/<slug>/ask-for-change POST": (REVIEWER, NOT_FRESH),
    "/desk/cases/<slug>/ask-return POST": (REVIEWER, NOT_FRESH),
    "/desk/cases/<slug>/close POST": (COORDINATOR, FRESH),
    "/desk/cases/<slug>/consent GET+POST": (WRITER, NOT_FRESH),
    "/desk/cases/<slug>/consent/revoke POST": (REVIEWER, NOT_FRESH),
    "/desk/cases/<slug>/draft POST": (WRITER, NOT_FRESH),
    "/desk/cases/<slug>/edit GET": (WRITER, NOT_FRESH),
    "/desk/cases/<slug>/edit POST": (WRITER, NOT_FRESH),
    "/desk/cases/<slug>/paper POST": (WRITER, NOT_FRESH),
    "/desk/cases/<slug>/paper-fit POST": (WRITER, NOT_FRESH),
    "/desk/cases/<slug>/pause POST": (REVIEWER, NOT_FRESH),
    "/desk/cases/<slug>/photograph GET": (WRITER, NOT_FRESH),
    "/desk/cases/<slug>/photograph POST": (WRITER, NOT_FRESH),
    "/desk/cases/<slug>/preview POST": (WRITER, NOT_FRESH),
    "/desk/cases/<slug>/publish POST": (COORDINATOR, FRESH),
    "/desk/cases/<slug>/replies GET": (WRITER, NOT_FRESH),
    "/desk/cases/<slug>/replies POST": (WRITER, NOT_FRESH),
    "/desk/cases/<slug>/resume POST": (COORDINATOR, FRESH),
    "/desk/cases/<slug>/revert POST": (WRITER, NOT_FRESH),
    "/desk/cases/<slug>/review GET": (WRITER, NOT_FRESH),
    "/desk/cases/<slug>/submit POST": (WRITER, NOT_FRESH),
    "/desk/cases/<slug>/take-back POST": (WRITER, NOT_FRESH),
    "/desk/cases/<slug>/unschedule POST": (COORDINATOR, NOT_FRESH),
    "/desk/cases/<slug>/versions/<int:number> GET": (WRITER, NOT_FRESH),
    "/desk/cases/<slug>/withdraw POST": (REVIEWER, NOT_FRESH),
    "/desk/corrections GET": (COORDINATOR, NOT_FRESH),
    "/desk/corrections POST": (COORDINATOR, NOT_FRESH),
    "/desk/corrections/<int:number>/enter POST": (COORDINATOR, FRESH),
    "/desk/corrections/<int:number>/refuse POST": (COORDINATOR, NOT_FRESH),
    "/desk/drives GET": (WRITER, NOT_FRESH),
    "/desk/drives/<slug> GET": (WRITER, NOT_FRESH),
    "/desk/drives/<slug>/ask POST": (REVIEWER, NOT_FRESH),
    "/desk/drives/<slug>/close POST": (REVIEWER, NOT_FRESH),
    "/desk/drives/<slug>/count POST": (REVIEWER, NOT_FRESH),
    "/desk/drives/<slug>/merge POST": (COORDINATOR, NOT_FRESH),
    "/desk/drives/<slug>/message POST": (REVIEWER, NOT_FRESH),
    "/desk/drives/<slug>/name POST": (REVIEWER, NOT_FRESH),
    "/desk/invitation/<token> GET+POST": (ANYONE, NOT_FRESH),
    "/desk/mailings GET": (WRITER, NOT_FRESH),
    "/desk/mailings POST": (WRITER, NOT_FRESH),
    "/desk/mailings/<int:mailing_id> GET": (WRITER, NOT_FRESH),
    "/desk/mailings/<int:mailing_id>/approve POST": (REVIEWER, FRESH),
    "/desk/mailings/<int:mailing_id>/cancel POST": (WRITER, NOT_FRESH),
    "/desk/mailings/<int:mailing_id>/in/<language> GET": (WRITER, NOT_FRESH),
    "/desk/mailings/<int:mailing_id>/in/<language> POST": (WRITER, NOT_FRESH),
    "/desk/mailings/<int:mailing_id>/in/<language>/message GET": (WRITER, NOT_FRESH),
    "/desk/mailings/<int:mailing_id>/in/<language>/try POST": (WRITER, NOT_FRESH),
    "/desk/mailings/<int:mailing_id>/pause POST": (WRITER, NOT_FRESH),
    "/desk/mailings/<int:mailing_id>/progress GET": (WRITER, NOT_FRESH),
    "/desk/mailings/<int:mailing_id>/resume POST": (REVIEWER, NOT_FRESH),
    "/desk/mailings/<int:mailing_id>/return POST": (REVIEWER, NOT_FRESH),
    "/desk/mailings/<int:mailing_id>/submit POST": (WRITER, NOT_FRESH),
    "/desk/mailings/<int:mailing_id>/unschedule POST": (WRITER, NOT_FRESH),
    "/desk/me GET": (WRITER, NOT_FRESH),
    "/desk/me/password POST": (WRITER, FRESH),
    "/desk/me/recovery-codes POST": (WRITER, FRESH),
    "/desk/me/second-factor GET": (WRITER, NOT_FRESH),
    "/desk/me/second-factor/replace POST": (WRITER, FRESH),
    "/desk/me/sessions POST": (WRITER, NOT_FRESH),
    "/desk/numbers GET": (WRITER, NOT_FRESH),
    "/desk/numbers/export POST": (COORDINATOR, FRESH),
    "/desk/outbox GET": (COORDINATOR, NOT_FRESH),
    "/desk/outbox/<name> GET": (COORDINATOR, NOT_FRESH),
    "/desk/outbox/<name>/file GET": (COORDINATOR, NOT_FRESH),
    "/desk/outbox/<name>/html GET": (COORDINATOR, NOT_FRESH),
    "/desk/photographs/<photograph>/<int:width>.<any(webp, jpg):file_format> GET": (WRITER, NOT_FRESH),
    "/desk/posts GET": (WRITER, NOT_FRESH),
    "/desk/posts POST": (WRITER, NOT_FRESH),
    "/desk/posts/<int:post_id> GET": (WRITER, NOT_FRESH),
    "/desk/posts/<int:post_id> POST": (WRITER, NOT_FRESH),
    "/desk/posts/<int:post_id>/again POST": (REVIEWER, NOT_FRESH),
    "/desk/posts/<int:post_id>/approve POST": (REVIEWER, FRESH),
    "/desk/posts/<int:post_id>/cancel POST": (WRITER, NOT_FRESH),
    "/desk/posts/<int:post_id>/drop POST": (REVIEWER, NOT_FRESH),
    "/desk/posts/<int:post_id>/preview POST": (WRITER, NOT_FRESH),
    "/desk/posts/<int:post_id>/return POST": (REVIEWER, NOT_FRESH),
    "/desk/posts/<int:post_id>/rewrite POST": (REVIEWER, NOT_FRESH),
    "/desk/posts/<int:post_id>/submit POST": (WRITER, NOT_FRESH),
    "/desk/posts/<int:post_id>/went-out POST": (REVIEWER, NOT_FRESH),
    "/desk/seasons GET": (COORDINATOR, NOT_FRESH),
    "/desk/seasons/<slug> GET": (COORDINATOR, NOT_FRESH),
    "/desk/seasons/<slug> POST": (COORDINATOR, NOT_FRESH),
    "/desk/seasons/<slug>/close POST": (COORDINATOR, NOT_FRESH),
    "/desk/seasons/<slug>/export POST": (COORDINATOR, FRESH),
    "/desk/seasons/<slug>/open POST": (COORDINATOR, NOT_FRESH),
    "/desk/seasons/<slug>/order POST": (COORDINATOR, NOT_FRESH),
    "/desk/seasons/import GET": (COORDINATOR, NOT_FRESH),
    "/desk/seasons/import POST": (COORDINATOR, FRESH),
    "/desk/seasons/new GET": (COORDINATOR, NOT_FRESH),
    "/desk/seasons/new POST": (COORDINATOR, NOT_FRESH),
    "/desk/sharing GET": (WRITER, NOT_FRESH),
    "/desk/share/account GET": (COORDINATOR, NOT_FRESH),
    "/desk/share/account/callback GET": (COORDINATOR, NOT_FRESH),
    "/desk/share/account/callback POST": (COORDINATOR, FRESH),
    "/desk/share/account/connect POST": (COORDINATOR, FRESH),
    "/desk/share/account/disconnect POST": (COORDINATOR, FRESH),
    "/desk/sign-in GET+POST": (ANYONE, NOT_FRESH),
    "/desk/sign-out POST": (WRITER, NOT_FRESH),
    "/desk/stories GET": (WRITER, NOT_FRESH),
    "/desk/stories/<slug>/<language> GET": (WRITER, NOT_FRESH),
    "/desk/stories/<slug>/<language> POST": (WRITER, NOT_FRESH),
    "/desk/stories/<slug>/<language>/publish POST": (REVIEWER, FRESH),
    "/desk/stories/<slug>/<language>/return POST": (WRITER, NOT_FRESH),
    "/desk/stories/<slug>/<language>/submit POST": (WRITER, NOT_FRESH),
    "/desk/stories/<slug>/<language>/take-down POST": (REVIEWER, NOT_FRESH),
    "/desk/stories/new GET": (WRITER, NOT_FRESH),
    "/desk/stories/new POST": (WRITER, NOT_FRESH),
    "/desk/urgent-actions GET": (WRITER, NOT_FRESH),
    "/desk/urgent-actions POST": (WRITER, NOT_FRESH),
    "/desk/urgent-actions/<slug> GET": (WRITER, NOT_FRESH),
    "/desk/urgent-actions/<slug>/issues POST": (WRITER, NOT_FRESH),
    "/desk/urgent-actions/<slug>/issues/<int:ordinal> POST": (WRITER, NOT_FRESH),
    "/desk/urgent-actions/<slug>/issues/<int:ordinal>/issue POST": (REVIEWER, FRESH),
}
"""Every desk route with its methods: who may use it, and whether it asks for a fresh code. Exactly these, no other."""


def desk_rules(app: Flask) -> list[Rule]:
    return [rule for rule in app.url_map.iter_rules() if rule.rule.startswith("/desk")]


def methods_of(rule: Rule) -> set[str]:
    return (rule.methods or set()) - {"HEAD", "OPTIONS"}


def test_every_desk_route_states_its_policy_and_is_meant_to_be_there(app: Flask) -> None:
    found: dict[str, tuple[Role | None, bool]] = {}
    for rule in desk_rules(app):
        policy = policy_of(app.view_functions[rule.endpoint])
        assert policy is not None, f"{rule.rule} does not say who may use it"
        key = f"{rule.rule} {'+'.join(sorted(methods_of(rule)))}"
        found[key] = (policy.role, policy.fresh)
    assert found == ROUTES


def test_a_desk_route_without_a_policy_is_refused(app: Flask) -> None:
    app.add_url_rule("/desk/forgotten", "forgotten", lambda: "secret")
    answer = app.test_client().get("/desk/forgotten")
    assert answer.status_code == 403 and b"secret" not in answer.data


@pytest.fixture
def objects(app: Flask, season: Cast) -> dict[str, list[Any]]:
    """Return values for the arguments of routes: things in every state that matters, and one that is not there."""
    with app.app_context():
        make_case(season.season, "withdrawn-one", "Wendy Drawn", status=CaseStatus.WITHDRAWN)
        make_case(season.season, "draft-one", "Dora Draft", status=CaseStatus.DRAFT)
        make_case(season.season, "paused-one", "Paul Paused", status=CaseStatus.PAUSED)
        db.session.commit()
        other = make_account("other", Role.WRITER)
        proposed = make_account("proposed", Role.WRITER, state=AccountState.PROPOSED)
        issue = make_issue(make_urgent_case("urgent-one", "Uma Urgent"))
        mailings = [make_mailing(issue) for _ in MAILINGS]
        for mailing, state in zip(mailings, MAILINGS, strict=True):
            mailing.state = state
        db.session.commit()
        found = [mailing.id for mailing in mailings]
    return {
        "slug": [season.tiny, "withdrawn-one", "draft-one", "paused-one", "urgent-one", "test", "out", "nobody"],
        "mailing_id": [*found, 999],
        "number": [1, 99],
        "ordinal": [1, 99],
        "account_id": [other.id, proposed.id, 999],
        "width": [320],
        "file_format": ["jpg"],
    }


def addresses(rule: Rule, objects: dict[str, list[Any]]) -> Iterator[str]:
    """Yield the addresses of a route for every combination of objects."""
    names = sorted(rule.arguments)
    for values in product(*(objects.get(name, [1, 999] if name.endswith("id") else ["x"]) for name in names)):
        built = rule.build(dict(zip(names, values, strict=True)), append_unknown=False)
        if built:
            yield built[1]


# The door is the same in front of both databases; what lies behind it is read on PostgreSQL by who may go furthest.
@pytest.mark.parametrize(
    ("database_url", "role"),
    [*(("sqlite", role) for role in (None, Role.WRITER, Role.REVIEWER)), ("postgresql", Role.COORDINATOR)],
    indirect=["database_url"],
)
def test_nobody_gets_past_a_route_that_needs_another_role(
    app: Flask, objects: dict[str, list[Any]], role: Role | None
) -> None:
    tried = 0
    for rule in desk_rules(app):
        policy = policy_of(app.view_functions[rule.endpoint])
        assert policy is not None
        for address, method in product(addresses(rule, objects), sorted(methods_of(rule))):
            tried += 1
            _look(app, _Try(address, method, policy.role, role))
    assert tried > len(ROUTES)


class _Try:
    def __init__(self, address: str, method: str, needed: Role | None, role: Role | None) -> None:
        self.address, self.method, self.needed, self.role = address, method, needed, role

    def __str__(self) -> str:
        return f"{self.role} {self.method} {self.address}"


_people: dict[tuple[int, Role], Colleague] = {}
_numbers = count()
MAILINGS = (MailingState.DRAFT, MailingState.IN_REVIEW, MailingState.RUNNING)
STALE = b"This form is too old"


def _look(app: Flask, trial: _Try) -> None:
    if trial.role is None:
        answer = app.test_client().open(trial.address, method=trial.method)
        if trial.needed is None:
            assert answer.status_code < 500, trial
        else:
            assert answer.status_code == 303 and "/desk/sign-in" in answer.headers["Location"], trial
        return
    answer = _try(_person(app, trial.role), trial)
    if STALE in answer.data or answer.headers.get("Location", "").startswith("/desk/sign-in"):
        # What she tried before, or this, has signed her out, or begun another session.
        answer = _try(_person(app, trial.role, anew=True), trial)
    assert STALE not in answer.data, trial
    if trial.needed is not None and not trial.role.may(trial.needed):
        assert answer.status_code == 403, trial
    else:
        assert answer.status_code < 500 and answer.status_code != 401, trial


def _try(client: Colleague, trial: _Try) -> TestResponse:
    data = {"csrf_token": client.csrf_token()} if trial.method != "GET" else None
    return client.open(trial.address, method=trial.method, data=data)


def _person(app: Flask, role: Role, *, anew: bool = False) -> Colleague:
    """Return somebody of this role who is signed in, or another one."""
    key = (id(app), role)
    found = _people.get(key)
    if found is None or anew:
        _people[key] = found = colleague(app, f"{role.value}-{next(_numbers)}", role)
    return found


@pytest.mark.parametrize("fresh", [True, False], ids=["with a fresh code", "with an old code"])
def test_what_is_most_sensitive_asks_for_a_fresh_code(app: Flask, objects: dict[str, list[Any]], fresh: bool) -> None:
    cora = colleague(app, "cora", Role.COORDINATOR, fresh=fresh)
    for rule in desk_rules(app):
        policy = policy_of(app.view_functions[rule.endpoint])
        assert policy is not None
        if not policy.fresh or "POST" not in methods_of(rule):
            continue
        address = next(addresses(rule, objects))
        answer = cora.send(address)
        asked = answer.status_code == 403 and b'name="fresh_code"' in answer.data
        assert asked is not fresh, address


def test_a_form_without_a_token_is_refused(app: Flask, objects: dict[str, list[Any]]) -> None:
    cora = colleague(app, "cora", Role.COORDINATOR)
    for rule in desk_rules(app):
        if "POST" in methods_of(rule):
            assert cora.post(next(addresses(rule, objects))).status_code == 400, rule.rule


def test_a_refusal_is_remembered(app: Flask, season: Cast) -> None:
    wanda = colleague(app, "wanda", Role.WRITER)
    coordinators_only = next(
        rule
        for rule in desk_rules(app)
        if (policy := policy_of(app.view_functions[rule.endpoint]))
        and policy.role is Role.COORDINATOR
        and "GET" in methods_of(rule)
        and not rule.arguments
    )
    assert wanda.get(coordinators_only.rule).status_code == 403
    cora = colleague(app, "cora", Role.COORDINATOR)
    assert "wanda" in cora.get("/desk/audit").get_data(as_text=True)
