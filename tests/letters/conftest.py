"""A case that nobody stored: letters are values, so their tests need no database."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest
from flask_babel import gettext, ngettext
from jinja2 import Environment, FileSystemLoader

from wfr.cases.models import Case, CaseText, Kind, Target
from wfr.letters.merging import Letter, PersonalLines, merge_letter
from wfr.letters.printing import Render
from wfr.paper import check_paper
from wfr.paths import TEMPLATES

TODAY = date(2026, 11, 20)

ANA = PersonalLines(
    name="Ana Ribeiro",
    address="Rua do Souto 12\n4700-329 Braga\nPortugal",
    own_words="I teach biology, and my pupils know what a river is worth.",
)


@pytest.fixture(scope="session", autouse=True)
def paper_is_there() -> None:
    """Printing tests run on the real thing; what is missing is a failure with the line that mends it."""
    assert check_paper() == []


@pytest.fixture(scope="session")
def render() -> Render:
    """Render a template of the project, as the web app does."""
    return project_render()


def project_render() -> Render:
    """Return what renders a template of the project, without the web app."""
    environment = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True, extensions=["jinja2.ext.i18n"])
    environment.install_gettext_callables(gettext, ngettext, newstyle=True)  # type: ignore[attr-defined]
    return lambda name, **values: environment.get_template(name).render(**values)


@pytest.fixture
def case() -> Case:
    """Ada Vale of Togo: an official with an address and a mailbox, and an address of her own."""
    case = Case(slug="ada-vale", name="Ada Vale", country="TG", kinds=["letter", "email", "post", "solidarity"])
    case.texts = [
        CaseText(
            language="en",
            headline="Held for a poem",
            summary="She wrote a poem. [Z1]",
            story="She wrote a poem. [Z1]",
            ask="- Set her **free**. [Z1]\n- Give her poem back. [Z1, Z2]",
            letter=(
                "I am writing about {person}, who is held\nfor a poem.\n\n{own_words}\n\n"
                "I ask you to set {person} free."
            ),
            letter_close="Yours respectfully,",
            email_subject="Freedom for Ada Vale",
            email_body="{person} is held for a poem.\n\n{own_words}\n\nPlease set her free.",
            post="{handle}: {person} is held for a poem. Set her free.",
            solidarity_message="Your poem is read here.\n\n{own_words}",
        )
    ]
    case.targets = [
        Target(
            position=0,
            for_solidarity=False,
            office="Minister of Rivers",
            name="Kofi Brook",
            salutation="Dear Minister,",
            address_lines=["Ministry of Rivers", "12 Quay Street", "Lomé"],
            country="TG",
            email="minister@example.org",
            x_handle="ministry",
            unreached_from=["NZ"],
            embassy_route="Send it by way of the embassy in Canberra.",
        ),
        Target(
            position=1,
            for_solidarity=True,
            office="Ada Vale",
            salutation="Dear Ada,",
            address_lines=["PO Box 7", "Lomé"],
            country="TG",
            unreached_from=[],
        ),
    ]
    return case


Write = Callable[..., Letter]


@pytest.fixture
def write(case: Case) -> Write:
    """Merge a letter of this case; by default Ana's, on paper, not in a demonstration."""

    def merge(
        lines: PersonalLines = ANA,
        *,
        kind: Kind = Kind.LETTER,
        language: str = "en",
        demonstration: bool = False,
    ) -> Letter:
        target = case.target(kind)
        assert target is not None
        return merge_letter(case, kind, target, lines, today=TODAY, language=language, demonstration=demonstration)

    return merge
