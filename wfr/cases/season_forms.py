"""What the desk may type about seasons, stories, replies and photographs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import Field, FileField, Form, IntegerField
from wtforms.validators import DataRequired, InputRequired, NumberRange, Optional, Regexp, ValidationError

from wfr.cases.desk_forms import DayField, at_most, known_language
from wfr.cases.season_files import SLUG, SourceEntry
from wfr.cases.seasons import BadPlan, SeasonPlan
from wfr.cases.stories import StoryWords
from wfr.fields import LineField, WordsField
from wfr.text import source_tags

REPLY_LENGTH = 2_000
STORY_LENGTH = 20_000


def line_field(label: Any, most: int, *rules: Any) -> LineField:
    """Return a field for one line of at most so many characters."""
    return LineField(label, validators=[*rules, at_most(most)])


def text_field(label: Any, most: int, *rules: Any) -> WordsField:
    """Return a field for several lines of at most so many characters."""
    return WordsField(label, validators=[*rules, at_most(most)])


def day_field(label: Any) -> DayField:
    """Return a field for a day."""
    return DayField(label, validators=[InputRequired(_l("Give a day"))])


class SeasonForm(Form):
    """A season's plan; `slug` only for a new one."""

    slug = line_field(_l("Address"), 40, Optional(), Regexp(SLUG, message=_l("Small letters, figures, hyphens: 2027")))
    name = line_field(_l("Name"), 120, DataRequired(_l("Give the season a name")))
    opens = day_field(_l("Opens on"))
    key_date = day_field(_l("Key date"))
    closes = day_field(_l("Last day"))
    reports_due = day_field(_l("Reports until"))
    goal = IntegerField(
        _l("Goal"), validators=[Optional(), NumberRange(min=1, max=100_000_000, message=_l("A number from 1"))]
    )
    letters_collected_at = text_field(_l("Where letters are gathered"), 600)

    def plan(self) -> SeasonPlan:
        """Return what was typed."""
        values = {name: self[name].data for name in SeasonPlan.__slots__}
        return SeasonPlan(**{**values, "letters_collected_at": values["letters_collected_at"] or None})

    def blame(self, problem: BadPlan) -> None:
        """Put what the season's rules say to the field that is wrong."""
        self[problem.problem.field].errors = [str(problem.problem.words)]


class StoryForm(Form):
    """A story's words; `slug` and `language` only for a new one."""

    slug = line_field(_l("Address"), 80, Optional(), Regexp(SLUG, message=_l("Small letters, figures, hyphens")))
    language = line_field(_l("Language"), 12, Optional(), known_language)
    title = line_field(_l("Title"), 160, DataRequired(_l("Give the story a title")))
    place = line_field(_l("Place"), 120, DataRequired(_l("Say where it happened")))
    summary = text_field(_l("In one sentence"), 600, DataRequired(_l("Say it in one sentence")))
    text = text_field(_l("The story"), STORY_LENGTH, DataRequired(_l("Tell the story")))
    figure = line_field(_l("Figure"), 40)
    figure_of = line_field(_l("Figure of what"), 80)
    sources = text_field(_l("Sources"), STORY_LENGTH, DataRequired(_l("Name at least one source")))

    def validate_sources(self, _field: Field) -> None:
        """Ask each line for a tag and a title, and each tag in the words for its source."""
        entries = self._entries()
        if any(entry is None for entry in entries):
            raise ValidationError(_("One source a line, with its tag: R8: Magai is free, amnesty.ca"))
        known = {entry.tag for entry in entries if entry}
        missing = [
            tag for part in (self.summary, self.text) for tag in source_tags(part.data or "") if tag not in known
        ]
        if missing:
            raise ValidationError(_("The tag %(tag)s has no source here", tag=missing[0]))

    def words(self) -> StoryWords:
        """Return what was typed."""
        data = self.data
        told = {name: data[name] for name in ("title", "place", "summary", "text")}
        return StoryWords(
            **told,
            figure=data["figure"] or None,
            figure_of=data["figure_of"] or None,
            sources=tuple(str(entry) for entry in self._entries()),
        )

    def _entries(self) -> list[SourceEntry | None]:
        return [_source(line) for line in (self.sources.data or "").splitlines() if line.strip()]


def _source(line: str) -> SourceEntry | None:
    try:
        entry = SourceEntry.parse(line)
    except ValueError:
        return None
    return entry if entry.title else None


class ReplyForm(Form):
    """A reply from an official."""

    dated = day_field(_l("Date of the reply"))
    sender = line_field(_l("From whom"), 200, DataRequired(_l("Say who sent it")))
    summary = text_field(_l("What it says, in a few words"), REPLY_LENGTH, DataRequired(_l("Say what it says")))


class PhotographForm(Form):
    """A photograph's file and what must be said of it; `photograph_form` adds a description for each language."""

    photograph = FileField(_l("File"))
    credit = line_field(_l("Credit"), 200, DataRequired(_l("Say who took it, and who lets us use it")))

    def descriptions(self) -> dict[str, str]:
        """Return the descriptions that were typed, by language."""
        found = (name.partition("_") for name in self.data)
        return {language: self[f"alt_{language}"].data or "" for what, _line, language in found if what == "alt"}


def photograph_form(languages: Iterable[str]) -> type[PhotographForm]:
    """Return the form for a case with words in these languages; the first one's description is needed."""
    fields: dict[str, Any] = {}
    for language in languages:
        rules = [] if fields else [DataRequired(_l("Say what the photograph shows, for who cannot see it"))]
        fields[f"alt_{language}"] = line_field(_l("What it shows (%(language)s)", language=language), 300, *rules)
    return type("PhotographForm", (PhotographForm,), fields)
