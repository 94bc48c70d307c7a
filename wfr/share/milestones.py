"""Milestones: a number of actions that is worth a post proposes a draft by itself, once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from flask_babel import force_locale, format_date, format_decimal
from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from wfr.cases.models import Case
from wfr.cases.queries import is_demonstration, shelf
from wfr.extensions import AnySession, transaction, utc_now
from wfr.pledges.queries import board
from wfr.pledges.tallying import Figures
from wfr.share.cards import card_of
from wfr.share.models import CampaignPost
from wfr.share.post_rules import case_problem
from wfr.share.posting import PostDraft, add_draft
from wfr.staff.models import JOB

OF_THE_WORLD = (10_000, 100_000, 1_000_000)
OF_A_CASE = (1_000, 10_000, 100_000)
LANGUAGE = "en"


def propose_milestones() -> int:
    """Propose a draft for each milestone that was passed since the last time, and return how many.

    Of several that were passed at once only the highest is proposed. Cases whose consent does not cover X, or that
    nobody can act on, propose nothing; in a demonstration only the world does, as its numbers are simulated.
    """
    seen, tally, day = shelf(), board(), utc_now().date()
    subjects: list[tuple[Case | None, str, int, Sequence[int]]] = [
        (None, "world", _counted(tally.world, seen.demonstration), OF_THE_WORLD)
    ]
    if not seen.demonstration:
        subjects += [
            (case, f"case:{case.id}", _counted(tally.of(case), False), OF_A_CASE)
            for case in seen.cases.values()
            if case_problem(case, day) is None
        ]
    return sum(
        _propose(case, subject, reached)
        for case, subject, number, steps in subjects
        if (reached := max((step for step in steps if number > step), default=0))
    )


def _counted(figures: Figures, demonstration: bool) -> int:
    return figures.pledged if demonstration else figures.pledged - figures.simulated


def _propose(case: Case | None, subject: str, reached: int) -> bool:
    try:
        with transaction() as session:
            if _highest_proposed(session, subject) >= reached:
                return False
            post = CampaignPost(case_id=case.id if case else None, language=LANGUAGE, occasion=f"{subject}:{reached}")
            add_draft(session, JOB, post, _draft(case, reached, demonstration=is_demonstration(session)))
    except IntegrityError:
        # Another worker proposed it in the same moment.
        return False
    return True


def _highest_proposed(session: AnySession, subject: str) -> int:
    """Return the highest milestone of a subject that was ever proposed: a number may fall again, and rise."""
    occasions = session.scalars(
        select(CampaignPost.occasion).where(CampaignPost.occasion.startswith(f"{subject}:", autoescape=True))
    )
    return max((int(occasion.rpartition(":")[2]) for occasion in occasions if occasion), default=0)


def _draft(case: Case | None, reached: int, *, demonstration: bool) -> PostDraft:
    with force_locale(LANGUAGE):
        words = milestone_words(case.name if case else None, reached, utc_now().date())
        if demonstration:
            words = _("DEMONSTRATION, simulated numbers. %(words)s", words=words)
        return PostDraft(words=words, card_alt=card_of(case, LANGUAGE).alt)


def milestone_words(name: str | None, reached: int, day: date) -> str:
    """Return what a draft says of a milestone, in the present language: a number, for whom, as of when."""
    about = {"number": format_decimal(reached), "day": format_date(day, "d MMMM y")}
    if name is None:
        return str(_("More than %(number)s actions for people in danger, as of %(day)s. Write one more:", **about))
    return str(_("More than %(number)s actions for %(name)s, as of %(day)s. Write one more:", name=name, **about))
