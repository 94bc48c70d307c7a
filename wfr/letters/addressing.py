"""Envelopes: how an address, a day and a country are written, and what to do with a finished letter."""

from __future__ import annotations

import re
import unicodedata
from datetime import date

from babel import Locale
from babel.dates import format_date
from flask_babel import gettext

from wfr.cases.models import Target
from wfr.countries import country_name, is_country
from wfr.letters.transit import last_posting_day, still_time, usual_days


def addressee_lines(target: Target, language: str) -> tuple[str, ...]:
    """Return the lines of an envelope: who, where, and the country in capitals.

    The name and the office come first where the address does not already say them. A name that is known as of some day
    only stays away: offices outlast their holders. The country is for the
    post of the sender, so it stands in the letter's language, or in English where that has no capitals.
    """
    address = filled(*target.address_lines)
    last = _capitals(target.country, language)
    if address and _plain(address[-1]) in {_plain(last), _plain(country_name(target.country, "en"))}:
        address = address[:-1]
    said = _plain(" ".join(address))
    holder = "" if target.name_as_of else target.name or ""
    heads = [
        head for head in filled(holder, target.office) if not all(_plain(part) in said for part in head.split(","))
    ]
    return (*heads, *address, last)


def embassy_lines(target: Target, sender_country: str, language: str) -> tuple[str, ...]:
    """Return the lines of an envelope to the target's embassy in `sender_country`.

    An address that begins with an embassy's name keeps it. Where nobody knows the address the name is all there is.
    """
    address = filled(*(target.embassies or {}).get(sender_country, ()))
    if address and _plain(gettext("Embassy")) in _plain(address[0]):
        return address
    return (gettext("Embassy of %(country)s", country=country_name(target.country, language)), *address)


def reached_from(target: Target, sender_country: str) -> bool:
    """Say whether post from `sender_country`, empty where it is not known, arrives at this address."""
    return not sender_country or sender_country not in (target.unreached_from or ())


def posting_hints(
    target: Target,
    sender_country: str | None,
    deadline: date | None,
    today: date,
    *,
    language: str = "en",
    email: bool = False,
) -> list[str]:
    """Return what to do with the finished letter, one sentence or two a hint.

    `sender_country` is empty where it is not known. `email` says whether the case can be written to by e-mail too.
    Days in transit are those of `wfr.letters.transit`; no prices: nobody here knows them.
    """
    country = country_name(target.country, language)
    if not reached_from(target, sender_country or ""):
        route = target.embassy_route or gettext(
            "Send it to the embassy of %(country)s in your country.", country=country
        )
        return [gettext("Post from where you live does not reach this address."), route]
    hints = [gettext("Put a stamp for a letter abroad on the envelope. Any post office can weigh it.")]
    if sender_country == target.country:
        hints = [gettext("Put a stamp for a letter within your country on the envelope.")]
    else:
        hints.append(
            gettext(
                "Write %(country)s as the last line of the address.",
                country=_capitals(target.country, language),
            )
        )
    if deadline and deadline >= today:
        hints += _in_time(target, sender_country or "", deadline, today, language, email)
    return hints


def _in_time(target: Target, sender: str, deadline: date, today: date, language: str, email: bool) -> list[str]:
    """Return how long the letter takes, and by when it should go."""
    if not is_country(sender):
        if deadline == today:
            return [gettext("Post it today.")]
        return [gettext("Post it before %(day)s.", day=written_date(deadline, language))]
    days = usual_days(sender, target.country)
    names = {"low": days.low, "high": days.high, "sender": country_name(sender, language)}
    names["country"] = country_name(target.country, language)
    if sender == target.country:
        usually = gettext("Reckon with %(low)s to %(high)s days within %(country)s.", **names)
    else:
        usually = gettext("Reckon with %(low)s to %(high)s days from %(sender)s to %(country)s.", **names)
    time = still_time(sender, target.country, deadline, today)
    if time == "yes":
        day = written_date(last_posting_day(sender, target.country, deadline), language)
        return [usually, gettext("Post it by %(day)s.", day=day)]
    end = written_date(deadline, language)
    if time == "tight":
        hints = [usually, gettext("Post it today: it may come after the deadline, %(day)s.", day=end)]
    else:
        hints = [usually, gettext("It will probably come after the deadline, %(day)s.", day=end)]
    return [*hints, gettext("Send an e-mail as well.")] if email else hints


def written_date(day: date, language: str) -> str:
    """Return a day in words, such as 20 November 2026."""
    locale = _locale(language)
    return format_date(day, "d MMMM y" if locale.language == "en" else "long", locale=locale)


def language_direction(language: str) -> str:
    """Return ``rtl`` for a language written from right to left, else ``ltr``."""
    return str(_locale(language).text_direction)


def text_direction(lines: tuple[str, ...]) -> str:
    """Return the direction of the first letter that has one: an address keeps its own script's direction."""
    for character in "".join(lines):
        kind = unicodedata.bidirectional(character)
        if kind in {"L", "R", "AL"}:
            return "ltr" if kind == "L" else "rtl"
    return "ltr"


def filled(*lines: str) -> tuple[str, ...]:
    """Return the lines that say something, without the space around them."""
    return tuple(line.strip() for line in lines if line.strip())


def _plain(text: str) -> str:
    return " ".join(re.sub(r"[^\w\s]", " ", text.casefold()).split())


def _locale(language: str) -> Locale:
    return Locale.parse(language, sep="-")


def _capitals(country: str, language: str) -> str:
    name = country_name(country, language).upper()
    return name if name.lower() != name else country_name(country, "en").upper()
