"""Whatever the six people on the desk try, in whatever order: what must never happen does not happen."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from flask import Flask

from tests.cases.test_versions import consent, desk, hand_in, newest, shown, write
from tests.factories import Cast
from wfr.cases import consenting, drafting, publishing, reviewing, withdrawing
from wfr.cases.documents import CaseDocument, document_of
from wfr.cases.models import CaseStatus
from wfr.errors import NoSuchThing, NotAllowed, Refused
from wfr.extensions import db
from wfr.staff.auditing import find_breaks
from wfr.staff.models import Actor

__all__ = ["desk"]

STEPS = 300
ONWARDS = 0.6  # how often somebody tries what brings the case nearer to visitors
SLUG = "ada-vale"
MAY_APPROVE = {"rhea", "ravi", "cora", "cleo"}
COORDINATORS = {"cora", "cleo"}
NEVER_WRITE = {"ravi", "cleo"}  # or soon nobody could approve anything


class Walk:
    """One random walk, and what it has seen so far."""

    def __init__(self, desk: dict[str, Actor], chance: random.Random) -> None:
        self.desk = desk
        self.chance = chance
        self.editors: set[str] = set()
        self.approved = {document_of(shown()).digest()}
        self.asked: str | None = None
        self.done: set[str] = set()

    def step(self) -> None:
        """Let somebody try something, and look at what came of it."""
        name = self.chance.choice(list(self.desk))
        what = self.onwards() if self.chance.random() < ONWARDS else self.chance.choice(list(VERBS))
        if name in NEVER_WRITE and what in ("write", "revert"):
            return
        try:
            VERBS[what](self, self.desk[name])
        except (NotAllowed, Refused, NoSuchThing):
            db.session.rollback()
            return
        self.done.add(what)
        self.look(what, name)

    def onwards(self) -> str:
        """Return what brings the case nearer to visitors from where it stands."""
        if shown().status == CaseStatus.WITHDRAWN:
            return "agree_return" if self.asked else "ask_return"
        return {"draft": "submit", "in_review": "approve", "approved": "publish"}.get(newest().state, "write")

    def look(self, what: str, name: str) -> None:
        if what in ("write", "revert"):
            self.editors.add(name)
        if what == "approve":
            assert name in MAY_APPROVE and name not in self.editors
            self.editors.clear()
            self.approved.add(CaseDocument.model_validate(newest().document).digest())
        if what in ("publish", "resume", "agree_return"):
            assert name in COORDINATORS
        if what == "ask_return":
            self.asked = name
        if what == "agree_return":
            assert self.asked not in (None, name)
            self.asked = None
        if what == "pause":
            assert name in MAY_APPROVE
        if what == "withdraw":
            assert name in MAY_APPROVE
            assert shown().status == CaseStatus.WITHDRAWN
            self.asked = None
        assert document_of(shown()).digest() in self.approved


VERBS: dict[str, Callable[[Walk, Actor], object]] = {
    "write": lambda walk, by: write(by, headline=f"Headline {walk.chance.random()}"),
    "submit": lambda walk, by: hand_in(by),
    "take_back": lambda walk, by: reviewing.take_back(by=by, slug=SLUG),
    "ask_for_change": lambda walk, by: reviewing.ask_for_change(by=by, slug=SLUG, number=newest().number, note="More."),
    "approve": lambda walk, by: reviewing.approve(by=by, slug=SLUG, number=newest().number, sources_seen=True),
    "publish": lambda walk, by: publishing.publish(by=by, slug=SLUG, number=newest().number),
    "revert": lambda walk, by: drafting.revert_to(by=by, slug=SLUG, number=walk.chance.randint(1, newest().number)),
    "pause": lambda walk, by: publishing.pause(by=by, slug=SLUG, reason="A rumour."),
    "resume": lambda walk, by: publishing.resume(by=by, slug=SLUG),
    "withdraw": lambda walk, by: withdrawing.withdraw(by=by, slug=SLUG, reason="Danger."),
    "ask_return": lambda walk, by: withdrawing.ask_return(by=by, slug=SLUG),
    "agree_return": lambda walk, by: withdrawing.agree_return(by=by, slug=SLUG),
}


@pytest.mark.parametrize("seed", range(3))
def test_nothing_unapproved_is_shown_and_nobody_acts_for_two(
    app: Flask, season: Cast, desk: dict[str, Actor], seed: int
) -> None:
    with app.app_context():
        consenting.record_consent(by=desk["wanda"], slug=SLUG, given=consent())
        walk = Walk(desk, random.Random(seed))  # noqa: S311 -- a walk has no secrets
        for _ in range(STEPS):
            walk.step()
        assert {"approve", "publish", "withdraw"} <= walk.done
        assert list(find_breaks(db.session)) == []
