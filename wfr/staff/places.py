"""The places of the desk that everybody on it sees in its navigation: each domain adds its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from wfr.staff.models import Account, Role

if TYPE_CHECKING:
    from flask import Flask


@dataclass(frozen=True, slots=True)
class Place:
    """One entry of the navigation: the endpoint it leads to, its words (lazy), and who may go there."""

    endpoint: str
    label: object
    role: Role
    order: int


def add_place(app: Flask, place: Place) -> None:
    """Put a place into the desk's navigation."""
    app.extensions.setdefault("wfr.desk_places", []).append(place)


def places_for(app: Flask, account: Account) -> list[Place]:
    """Return the places that this account may go to, in order."""
    places: list[Place] = app.extensions.get("wfr.desk_places", [])
    return sorted((place for place in places if account.may(place.role)), key=lambda place: place.order)
