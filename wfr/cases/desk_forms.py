"""What the desk's forms take. A draft may lack anything, so these only ask that what is there can be kept."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

from babel import Locale, UnknownLocaleError
from flask_babel import lazy_gettext as _l
from wtforms import (
    BooleanField,
    DateField,
    Field,
    FieldList,
    Form,
    FormField,
    HiddenField,
    IntegerField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
    TimeField,
)
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length, Optional, Regexp, ValidationError

from wfr import intents
from wfr.cases.drafting import SLUG
from wfr.cases.models import Consenter, Kind, UpdateKind
from wfr.cases.share_words import LONGEST, SHARED_ON_WORDS, SharedOn
from wfr.cases.stamps import FAMILIES, PAIRS
from wfr.countries import countries, is_country
from wfr.fields import LineField, WordsField
from wfr.text import RefusedText, clean_text

ROWS_AT_MOST = 40
_CODES = re.compile(r"[\s,;]+")

KIND_WORDS = {
    Kind.LETTER: _l("Letter"),
    Kind.EMAIL: _l("E-mail"),
    Kind.POST: _l("Post"),
    Kind.SOLIDARITY: _l("Card of solidarity"),
}
UPDATE_WORDS = {UpdateKind.NEWS: _l("News"), UpdateKind.GOOD_NEWS: _l("Good news"), UpdateKind.OUTCOME: _l("Outcome")}
CONSENTER_WORDS = {
    Consenter.PERSON: _l("The person"),
    Consenter.FAMILY: _l("The family"),
    Consenter.LAWYER: _l("The lawyer"),
}


def at_most(length: int) -> Length:
    """Return the rule that a field has at most so many characters."""
    return Length(max=length, message=_l("At most %(max)d characters, please."))


class LinesField(TextAreaField):
    """A list, one thing a line."""

    def process_formdata(self, valuelist: list[Any]) -> None:
        """Take each line that says something."""
        if valuelist:
            try:
                self.data = [line.strip() for line in clean_text(valuelist[0]).splitlines() if line.strip()]
            except RefusedText as problem:
                raise ValueError(str(problem)) from None

    def _value(self) -> str:
        return "\n".join(self.data or ())


class EmbassiesField(TextAreaField):
    """Addresses by country: a paragraph an embassy, the code of the country it stands in on its first line."""

    def process_formdata(self, valuelist: list[Any]) -> None:
        """Take each paragraph; an address without a code, or a code without an address, is refused."""
        if not valuelist:
            return
        try:
            blocks = re.split(r"\n[ \t]*\n", clean_text(valuelist[0]).replace("\r\n", "\n").strip())
        except RefusedText as problem:
            raise ValueError(str(problem)) from None
        # What was typed is shown again with its error.
        self.data = {}
        for block in blocks:
            code, *lines = [line.strip() for line in block.splitlines() if line.strip()] or [""]
            if code:
                self.data[code.upper()] = lines
            if code and not lines:
                raise ValueError(_l("Under each country’s two letters write the lines of an address."))

    def _value(self) -> str:
        return "\n\n".join("\n".join((code, *lines)) for code, lines in (self.data or {}).items())


class CodesField(StringField):
    """Short codes in one line, parted by commas or spaces."""

    def process_formdata(self, valuelist: list[Any]) -> None:
        """Take each code once, in order."""
        if valuelist:
            self.data = list(dict.fromkeys(code for code in _CODES.split(valuelist[0].strip()) if code))

    def _value(self) -> str:
        return ", ".join(self.data or ())


class DayField(DateField):
    """A calendar day."""

    def process_formdata(self, valuelist: list[Any]) -> None:
        """Take a day as every browser sends it."""
        try:
            super().process_formdata(valuelist)
        except ValueError:
            raise ValueError(_l("Write the day as year, month, day: 2026-12-10")) from None


class HourField(TimeField):
    """A time of day."""

    def process_formdata(self, valuelist: list[Any]) -> None:
        """Take a time as every browser sends it."""
        try:
            super().process_formdata(valuelist)
        except ValueError:
            raise ValueError(_l("Write the time as hours and minutes: 09:30")) from None


def known_country(_form: Form, field: Field) -> None:
    """Refuse codes that are no countries."""
    codes = list(field.data) if isinstance(field.data, list | dict) else [field.data]
    strangers = [code for code in codes if code and not is_country(code)]
    if strangers:
        raise ValidationError(_l("Not a country’s two letters: %(codes)s", codes=", ".join(strangers[:3])))


def known_language(_form: Form, field: Field) -> None:
    """Refuse what is no language's tag."""
    for tag in field.data if isinstance(field.data, list) else [field.data]:
        if tag and not is_language(tag):
            raise ValidationError(_l("Not a language’s letters: %(tag)s", tag=tag[:20]))


def plain_mailbox(_form: Form, field: Field) -> None:
    """Refuse what no mail program can write to."""
    try:
        intents.mailto(field.data or "", "", "")
    except ValueError:
        raise ValidationError(_l("Write one e-mail address, such as minister@example.org")) from None


def is_language(tag: str) -> bool:
    """Say whether a tag names a language that letters can be written in."""
    try:
        Locale.parse(tag, sep="-")
    except (ValueError, UnknownLocaleError, TypeError):
        return False
    return len(tag) <= 12


def language_name(tag: str) -> str:
    """Return a language's own name for itself, or its tag where it has none."""
    if not is_language(tag):
        return tag
    name = Locale.parse(tag, sep="-").get_display_name()
    return f"{name[:1].upper()}{name[1:]}" if name else tag


def options(pairs: Iterable[tuple[Any, object]]) -> list[SelectChoice]:
    """Return pairs of a value and its words as a field wants them."""
    return [SelectChoice(value, words) for value, words in pairs]


def country_choices(language: str = "en") -> list[SelectChoice]:
    """Return every country, after a first line that stands for none."""
    return options([("", _l("Choose a country")), *countries(language)])


def language_choices(but_not: Sequence[str] = ()) -> list[tuple[str, str]]:
    """Return every language of two letters by its English name, less those in `but_not`."""
    return [pair for pair in _languages() if pair[0] not in but_not]


@cache
def _languages() -> list[tuple[str, str]]:
    # Asking Babel about each anew would be half of what an editor's page costs.
    names = Locale("en").languages
    found = [(tag, str(name)) for tag, name in names.items() if len(tag) == 2 and is_language(tag)]
    return sorted(found, key=lambda pair: pair[1])


class TextForm(Form):
    """The words in one language: `wfr.cases.documents.TextDocument`."""

    headline = LineField(_l("Headline"), [at_most(200)])
    summary = WordsField(_l("Summary"))
    content_note = WordsField(_l("Content note"))
    story = WordsField(_l("What happened"))
    ask = WordsField(_l("What we ask"))
    letter = WordsField(_l("Letter"))
    letter_close = LineField(_l("How it closes"), [at_most(120)])
    email_subject = LineField(_l("Subject"), [at_most(200)])
    email_body = WordsField(_l("E-mail"))
    post = WordsField(_l("Post"))
    solidarity_message = WordsField(_l("Message on the card"))
    solidarity_guidance = WordsField(_l("Guidance for cards"))
    dos = LinesField(_l("Do"))
    donts = LinesField(_l("Don’t"))
    why_not_letter = LineField(_l("Why no letter"))
    why_not_email = LineField(_l("Why no e-mail"))
    why_not_post = LineField(_l("Why no post"))
    why_not_solidarity = LineField(_l("Why no card"))
    share_any = WordsField(SHARED_ON_WORDS[SharedOn.ANY], [at_most(LONGEST)])
    share_x = WordsField(SHARED_ON_WORDS[SharedOn.X], [at_most(LONGEST)])
    share_bluesky = WordsField(SHARED_ON_WORDS[SharedOn.BLUESKY], [at_most(LONGEST)])
    share_mastodon = WordsField(SHARED_ON_WORDS[SharedOn.MASTODON], [at_most(LONGEST)])
    share_threads = WordsField(SHARED_ON_WORDS[SharedOn.THREADS], [at_most(LONGEST)])
    share_whatsapp = WordsField(SHARED_ON_WORDS[SharedOn.WHATSAPP], [at_most(LONGEST)])
    share_telegram = WordsField(SHARED_ON_WORDS[SharedOn.TELEGRAM], [at_most(LONGEST)])
    share_email = WordsField(SHARED_ON_WORDS[SharedOn.EMAIL], [at_most(LONGEST)])
    share_sms = WordsField(SHARED_ON_WORDS[SharedOn.SMS], [at_most(LONGEST)])


class TargetForm(Form):
    """Whom an action goes to: `wfr.cases.documents.TargetDocument`."""

    for_solidarity = BooleanField(_l("This is where cards of solidarity go"))
    office = LineField(_l("Office"), [at_most(200)])
    name = LineField(_l("Who holds it"), [at_most(200)])
    name_as_of = LineField(_l("Known as of"), [at_most(60)])
    salutation = LineField(_l("Salutation"), [at_most(120)])
    address_lines = LinesField(_l("Postal address"))
    country = SelectField(_l("Country"))
    email = LineField(_l("E-mail address"), [Optional(), at_most(200), plain_mailbox])
    x_handle = LineField(_l("Name on X"), [at_most(40)])
    languages = CodesField(_l("Languages they read"), [known_language])
    unreached_from = CodesField(_l("Post does not arrive from"), [known_country])
    embassy_route = WordsField(_l("What to do instead"))
    embassies = EmbassiesField(_l("Embassies of this country"), [known_country])
    note = WordsField(_l("Note"))
    source_tags = LineField(
        _l("Sources"), [Optional(), at_most(60), Regexp(r"[A-Z]\d+(,\s*[A-Z]\d+)*$", message=_l("Write tags: S1, S2"))]
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.country.choices = country_choices()


class SourceForm(Form):
    """The meaning of a tag: `wfr.cases.documents.SourceDocument`."""

    tag = LineField(_l("Tag"), [at_most(12), Regexp(r"[A-Z][0-9]+$", message=_l("A capital letter and a number: S1"))])
    title = LineField(_l("Where it comes from"))
    checked_on = DayField(_l("Last checked"), [InputRequired(_l("Say when somebody last looked."))])


class UpdateForm(Form):
    """News of the case: `wfr.cases.documents.UpdateDocument`."""

    kind = SelectField(_l("Kind"), choices=options(UPDATE_WORDS.items()))
    language = LineField(_l("Language"), [InputRequired(_l("Say in which language.")), known_language])
    dated = DayField(_l("Day"), [InputRequired(_l("Give a day; it sorts the news."))])
    dated_as = LineField(_l("As of, in words"), [at_most(60)])
    text = WordsField(_l("What is new"))


class CaseForm(Form):
    """A case's document as the editor shows it: what holds in every language, and the words in one."""

    revision = IntegerField(_l("Revision"), [InputRequired()])
    language = HiddenField()
    name = LineField(_l("Name, as it may be shown"), [at_most(160)])
    country = SelectField(_l("Country"))
    deadline = DayField(_l("Write by"), [Optional()])
    as_it_stood = DayField(_l("As it stood on"), [Optional()])
    kinds = SelectMultipleField(_l("What people can do"), choices=options(KIND_WORDS.items()))
    pattern = RadioField(_l("Pattern"), choices=options((name, name) for name in FAMILIES))
    colours = RadioField(_l("Colours"), choices=options((name, name) for name in PAIRS))
    text = FormField(TextForm)
    targets = FieldList(FormField(TargetForm), max_entries=ROWS_AT_MOST)
    sources = FieldList(FormField(SourceForm), max_entries=ROWS_AT_MOST * 3)
    updates = FieldList(FormField(UpdateForm), max_entries=ROWS_AT_MOST)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.country.choices = country_choices()
        # A stored pattern that is not drawn any more is kept until somebody chooses another.
        for field in (self.pattern, self.colours):
            field.validate_choice = bool(field.raw_data)

    def validate_sources(self, field: Field) -> None:
        """A tag means one source."""
        tags = [entry.form.tag.data for entry in field]
        for entry in field:
            if tags.count(entry.form.tag.data) > 1:
                entry.form.tag.errors = [_l("This tag stands twice.")]
        if len(set(tags)) < len(tags):
            raise ValidationError(_l("A tag stands twice."))


class NewCaseForm(Form):
    """What a new case begins with."""

    name = LineField(_l("Name, as it may be shown"), [InputRequired(_l("Give the name.")), at_most(160)])
    slug = LineField(
        _l("Address of its page"),
        [
            InputRequired(_l("Give an address, such as ada-vale.")),
            at_most(80),
            Regexp(f"{SLUG.pattern}$", message=_l("Small letters, digits and hyphens: ada-vale")),
        ],
    )
    country = SelectField(_l("Country"), [InputRequired(_l("Choose a country."))])
    season = SelectField(_l("Season"), coerce=int)
    language = SelectField(_l("First language"), default="en")

    def __init__(self, *args: Any, seasons: Sequence[tuple[int, object]] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.country.choices = country_choices()
        self.season.choices = options([*seasons, (0, _l("None (an urgent action)"))])
        self.language.choices = options(language_choices())


class ConsentForm(Form):
    """What was agreed to: `wfr.cases.consenting.ConsentGiven`."""

    given_by = RadioField(
        _l("Who agreed"),
        [InputRequired(_l("Say who agreed."))],
        choices=options(CONSENTER_WORDS.items()),
    )
    name = LineField(_l("The form of the name that may be shown"), [InputRequired(_l("Give the name.")), at_most(160)])
    story = BooleanField(_l("The story"))
    photograph = BooleanField(_l("The photograph"))
    kinds = SelectMultipleField(_l("These kinds of action"), choices=options(KIND_WORDS.items()))
    schools = BooleanField(_l("Schools may use it"))
    feeds = BooleanField(_l("Feeds, other sites, embeds, share cards, the share buttons and the network’s mail"))
    on_x = BooleanField(_l("Posts of the campaign’s account on X"))
    ends = DayField(_l("Until when"), [InputRequired(_l("Say until when."))])
    checked_on = DayField(_l("Checked on"), [InputRequired(_l("Say when you checked it."))])
    evidence = LineField(
        _l("Where the evidence lies"), [InputRequired(_l("Say where the evidence lies.")), at_most(300)]
    )


class ReasonForm(Form):
    """Why, for those who come after."""

    reason = LineField(_l("Why"), [InputRequired(_l("Say why, for those who come after you.")), at_most(500)])


class MomentForm(Form):
    """A moment to come, or none for now. Both in UTC."""

    on = DayField(_l("Day"), [Optional()])
    at = HourField(_l("Time (UTC)"), [Optional()])


class ClosingForm(MomentForm):
    """When a case closes, and why."""

    reason = LineField(_l("Why"), [at_most(500)])
