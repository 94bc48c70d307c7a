"""What the writing table and the thank-you page show: the merged message, its length, its ways out."""

from __future__ import annotations

from typing import Any

from babel import Locale
from flask import url_for

from wfr import intents
from wfr.cases.models import Case, Kind, Target
from wfr.cases.queries import shelf, today
from wfr.extensions import settings
from wfr.letters.addressing import reached_from
from wfr.letters.merging import Letter, email_text, language_beside, post_text, prefilled_message
from wfr.letters.overflowing import may_take_two_pages
from wfr.letters.views import has_embassy_copy, hints_for, merged, target_of
from wfr.pages import language
from wfr.pledges.forms import PromiseForm
from wfr.pledges.opening import Opener, email_openers, measures, post_openers


def case_url(case: Case) -> str:
    """Return the case's address as it stands in posts and on paper."""
    return f"{settings().base_url}{url_for('cases.case', slug=case.slug)}"


def message_parts(case: Case, kind: Kind, form: PromiseForm) -> dict[str, Any]:
    """Return what `pledges/write.html` and its sheet need; fills an untouched form with the case's own words."""
    target = target_of(case, kind)
    text = case.text(language())
    _prefill(case, kind, target, form)
    letter = None if kind is Kind.POST else merged(case, kind, form)
    url = case_url(case)
    return {
        "case": case,
        "text": text,
        "kind": kind.value,
        "target": target,
        "form": form,
        "letter": letter,
        "email_text": email_text(letter) if letter and kind is Kind.EMAIL else "",
        "post_text": _post(case, target, form) if kind is Kind.POST else "",
        "post_url": url,
        "measures": measures(_post(case, target, form), url) if kind is Kind.POST else [],
        "mailto_too_long": kind is Kind.EMAIL and _too_long(target, letter),
        "other_kinds": [other for other in Kind if other is not kind and case.offers(other) and case.target(other)],
        **_paper_parts(case, kind, target, form, letter),
    }


def thanks_parts(case: Case, kind: Kind, *, taken: bool) -> dict[str, Any]:
    """Return what `pledges/thanks.html` shows everybody: the case, what comes after, and the next case."""
    return {
        "case": case,
        "text": case.text(language()),
        "kind": kind.value,
        "taken": taken,
        "pledged_on": today(),
        "next_case": shelf().after(case, today()),
    }


def sending_parts(case: Case, kind: Kind, form: PromiseForm, ticket: str) -> dict[str, Any]:
    """Return what `pledges/_send.html` needs, the one part that carries the visitor's own lines: the ways out."""
    target = target_of(case, kind)
    _prefill(case, kind, target, form)
    letter = None if kind is Kind.POST else merged(case, kind, form)
    openers: list[Opener] = []
    message = ""
    if letter and kind is Kind.EMAIL:
        message = email_text(letter)
        openers = email_openers(target.email or "", letter.subject, message)
    elif kind is Kind.POST:
        message = _post(case, target, form)
        openers = post_openers(message, case_url(case))
    return {
        "case": case,
        "kind": kind.value,
        "target": target,
        "form": form,
        "ticket": ticket,
        "openers": openers,
        "message_text": message,
        "post_url": case_url(case),
        "mailto_too_long": kind is Kind.EMAIL and _too_long(target, letter),
        **_paper_parts(case, kind, target, form, letter),
    }


def _prefill(case: Case, kind: Kind, target: Target, form: PromiseForm) -> None:
    text = case.text(language())
    if kind is Kind.POST:
        if form["message"].data is None:
            form["message"].data = post_text(case, target, None, demonstration=False, language=language())
        return
    if not form["message"].data:
        form["message"].data = prefilled_message(case, kind, language())
    if "subject" in form and not form["subject"].data:
        form["subject"].data = text.email_subject


def _post(case: Case, target: Target, form: PromiseForm) -> str:
    return post_text(case, target, form["message"].data, demonstration=shelf().demonstration, language=language())


def _too_long(target: Target, letter: Letter | None) -> bool:
    return letter is not None and intents.too_long_for_mailto(target.email or "", letter.subject, email_text(letter))


def _paper_parts(case: Case, kind: Kind, target: Target, form: PromiseForm, letter: Letter | None) -> dict[str, Any]:
    """Return what is said of paper: how it goes, in which languages, how many sheets, and who gets a copy."""
    if kind not in (Kind.LETTER, Kind.SOLIDARITY):
        return {"postage": []}
    sender = form.country.data or ""
    parts: dict[str, Any] = {
        "postage": hints_for(case, kind, sender),
        "unreached": not reached_from(target, sender),
        "sender_country": sender,
    }
    if kind is Kind.LETTER and letter:
        parts |= {
            "beside": _beside_names(case, target),
            "long": may_take_two_pages(letter, form["paper"].data or "A4"),
            "embassy_copy": has_embassy_copy(case),
        }
    return parts


def _beside_names(case: Case, target: Target) -> tuple[str, str] | None:
    """Return what the two languages of a letter are called: the target's, then the page's; None where there is one."""
    other = language_beside(case, target, language())
    if other is None:
        return None
    locale = Locale.parse(language(), sep="-")
    mine = case.text(language()).language
    first, second = (Locale.parse(tag, sep="-").get_display_name(locale) or tag for tag in (other, mine))
    return first, second
