"""Embassies at the desk: a paragraph each, the country it stands in on its first line."""

from __future__ import annotations

import pytest
from werkzeug.datastructures import MultiDict
from wtforms import Form

from wfr.cases.comparing import written
from wfr.cases.desk_forms import EmbassiesField, known_country


class OneField(Form):
    """The field by itself."""

    embassies = EmbassiesField("Embassies", [known_country])


def typed(words: str) -> OneField:
    """Return the form as somebody sends it."""
    return OneField(MultiDict({"embassies": words}))


def test_each_paragraph_is_an_embassy() -> None:
    form = typed("ca\r\nEmbassy of Togo\r\n12 Road\r\n \r\n\r\nPT\r\nLisboa\r\n")
    assert form.validate()
    assert form.embassies.data == {"CA": ["Embassy of Togo", "12 Road"], "PT": ["Lisboa"]}
    assert form.embassies._value() == "CA\nEmbassy of Togo\n12 Road\n\nPT\nLisboa"
    assert written(form.embassies.data) == "CA: Embassy of Togo, 12 Road\nPT: Lisboa"


def test_nothing_is_no_embassy() -> None:
    form = typed(" \n")
    assert form.validate()
    assert form.embassies.data == {}


@pytest.mark.parametrize("words", ["CA", "XX\n12 Road", "12 Road\nOttawa", "CA\n12 Road\n\nPT"])
def test_what_is_no_embassy_is_refused_and_shown_again(words: str) -> None:
    form = typed(words)
    assert not form.validate()
    assert words.split("\n", maxsplit=1)[0].upper() in form.embassies._value()
