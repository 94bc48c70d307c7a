"""The reads that the members' pages need."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from wfr.cases.models import Case, CaseStatus, CaseUpdate, Standing
from wfr.cases.queries import shelf, today
from wfr.errors import NoSuchThing
from wfr.extensions import db, settings, utc_now
from wfr.network.asking import LINKS, REMINDER, count_digest
from wfr.network.interests import concerns_in, regions_in
from wfr.network.links import LinkFor, member_of_link
from wfr.network.models import Delivery, Follow, Mailing, Member, Reminder, RequestedMail, UrgentIssue
from wfr.network.urgent_queries import chain_of


@dataclass(frozen=True, slots=True)
class Followed:
    """A case that a member follows, with what became of it; `case` is None once it was withdrawn."""

    case_id: int
    case: Case | None
    standing: Standing
    updates: Sequence[CaseUpdate] = ()
    issues: Sequence[UrgentIssue] = ()


def member_by_link(token: str, purpose: LinkFor) -> tuple[Member, Case | None]:
    """Return the member that a link leads to, and the case that it names while visitors may see it.

    Raises `NoSuchThing`.
    """
    member, case_id = member_of_link(db.session, token, purpose)
    return member, shown_case(case_id) if case_id is not None else None


def shown_case(case_id: int) -> Case | None:
    """Return the case with this id, or None where visitors may not see it, or not any more."""
    try:
        case = shelf().by_id(case_id)
    except NoSuchThing:
        return None
    return None if case.standing(today()) is Standing.WITHDRAWN else case


def masked(member: Member) -> str:
    """Return a member's address so that its owner knows it and who looks over her shoulder does not."""
    local, _, domain = member.email.rpartition("@")
    return f"{local[:1]}…@{domain}"


def languages_offered() -> list[str]:
    """Return the languages that a member can choose: the site's, and those in which a case has words."""
    written = {text.language for case in shelf().cases.values() if not _gone(case) for text in case.texts}
    ours = settings().languages
    return [*ours, *sorted(written.difference(ours))]


def followed_by(member: Member, language: str) -> list[Followed]:
    """Return what a member follows, the newest first, with its news in `language`, the newest first."""
    return [_followed(case_id, language) for case_id in _followed_ids(member)]


def everything_about(member: Member) -> dict[str, Any]:
    """Return all that is kept about a member, for herself: plain values that JSON can hold."""
    reminders = db.session.scalars(select(Reminder).where(Reminder.email == member.email))
    counted = [count_digest(member.email, apart) for apart in ("", REMINDER, LINKS)]
    mails = select(RequestedMail).where(RequestedMail.digest.in_(counted)).order_by(RequestedMail.day)
    return {
        "made": utc_now().isoformat(timespec="seconds") + "Z",
        "member": {
            "email": member.email,
            "country": member.country,
            "languages": member.languages,
            "frequency": member.frequency,
            "at_most_a_month": member.at_most,
            "regions": regions_in(member.regions),
            "concerns": [concern.value for concern in concerns_in(member.concerns)],
            "number_in_your_links": f"{member.number:x}",
            "times_links_were_replaced": member.links - 1,
            "mailings_that_came_back": member.bounces,
            "last_came_back_on": member.bounced_on.isoformat() if member.bounced_on else None,
            "asked_at": _moment(member.made_at),
            "confirmed_at": _moment(member.confirmed_at),
        },
        "follows": [_exported_follow(follow) for follow in _follows(member)],
        "mailings": [_exported_delivery(delivery, mailing) for delivery, mailing in _deliveries(member)],
        "reminders": [
            {"pledged_on": each.pledged_on.isoformat(), "due_on": each.due_on.isoformat()} for each in reminders
        ],
        "mails_asked_for_in_forms": [
            {"day": each.day.isoformat(), "mails": each.mails} for each in db.session.scalars(mails)
        ],
    }


def _followed(case_id: int, language: str) -> Followed:
    case = shown_case(case_id)
    if case is None:
        return Followed(case_id, None, Standing.WITHDRAWN)
    news = list(reversed(case.updates_in(language)))
    chain = chain_of(case)
    return Followed(case_id, case, case.standing(today()), news, chain.issues[::-1] if chain else ())


def _gone(case: Case) -> bool:
    return case.status == CaseStatus.WITHDRAWN


def _follows(member: Member) -> Sequence[Follow]:
    found = select(Follow).where(Follow.member_id == member.id).order_by(Follow.followed_at.desc(), Follow.case_id)
    return db.session.scalars(found).all()


def _followed_ids(member: Member) -> list[int]:
    return [follow.case_id for follow in _follows(member)]


def _deliveries(member: Member) -> Sequence[Any]:
    found = select(Delivery, Mailing).join(Mailing, Mailing.id == Delivery.mailing_id)
    return db.session.execute(found.where(Delivery.member_id == member.id).order_by(Delivery.id)).all()


def _exported_follow(follow: Follow) -> dict[str, Any]:
    case = shown_case(follow.case_id)
    return {"case": case.name if case else None, "since": _moment(follow.followed_at)}


def _exported_delivery(delivery: Delivery, mailing: Mailing) -> dict[str, Any]:
    return {
        "mailing": mailing.id,
        "sort": mailing.sort,
        "language": delivery.language,
        "state": delivery.state,
        "tries": delivery.tries,
        "settled_at": _moment(delivery.settled_at),
        "mail_server_said": delivery.code,
    }


def _moment(moment: Any) -> str | None:
    return None if moment is None else moment.isoformat(timespec="seconds") + "Z"
