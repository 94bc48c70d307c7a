"""What a teacher may type: of a drive, to be sent its links again, and what the class has counted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from email_validator import EmailNotValidError, validate_email
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, Field, Form, HiddenField, IntegerField, SelectMultipleField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.form import BaseForm
from wtforms.validators import InputRequired, NumberRange, Optional, ValidationError

from wfr.cases.desk_forms import DayField
from wfr.cases.models import Case, Season
from wfr.drives.managing import Plan
from wfr.drives.models import MOST_HOPED
from wfr.drives.reporting import MOST_REPORTED, Line
from wfr.drives.starting import NewDrive, check_plan
from wfr.errors import Refused
from wfr.fields import LineField
from wfr.letters.forms import Printable, at_most
from wfr.pages import language
from wfr.pledges.forms import CountryField, country_choices

NAME_LENGTH = 120
EMAIL_LENGTH = 254


class NumberField(IntegerField):
    """A whole number."""

    def process_formdata(self, valuelist: list[Any]) -> None:
        """Take a number, and say in our words what is none."""
        try:
            super().process_formdata(valuelist)
        except ValueError:
            raise ValueError(_l("Write a whole number in figures, such as 28")) from None


class EmailField(StringField):
    """An e-mail address as mail servers write it."""

    data: Any

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, filters=[lambda typed: (typed or "").strip()[: EMAIL_LENGTH + 1]], **kwargs)

    def pre_validate(self, _form: Form) -> None:
        """Refuse what cannot be an address."""
        try:
            self.data = validate_email(self.data or "", check_deliverability=False).normalized
        except EmailNotValidError:
            raise ValidationError(_("Give an e-mail address such as name@school.example.org")) from None


class StartForm(Form):
    """A new drive. `season` is the one it is in, `offered` the cases that it can choose."""

    ticket = HiddenField()
    name = LineField(
        _l("Your school or group"),
        validators=[
            InputRequired(_l("Give the name of your school or group")),
            at_most(NAME_LENGTH, _l("The name can have at most %(max)d characters")),
            Printable(),
        ],
    )
    country = CountryField(_l("Country"), validators=[InputRequired(_l("Choose the country of your school"))])
    email = EmailField(_l("Your e-mail address"))
    cases = SelectMultipleField(_l("Cases"), validators=[InputRequired(_l("Tick at least one person to write for"))])
    hoped = NumberField(
        _l("How many letters do you hope for?"),
        validators=[
            InputRequired(_l("Give a number of letters")),
            NumberRange(1, MOST_HOPED, _l("Give a number of letters from 1 to %(max)s")),
        ],
    )
    starts = DayField(_l("First day"), validators=[InputRequired(_l("Give the first day"))])
    ends = DayField(_l("Last day"), validators=[InputRequired(_l("Give the last day"))])
    tell_outcomes = BooleanField(_l("Tell me what happened to the people we wrote for"))
    invite_again = BooleanField(_l("Invite us again next year"))

    def __init__(self, typed: Any, *, season: Season, offered: Sequence[Case], **values: Any) -> None:
        super().__init__(typed, data=values)
        self._season = season
        self.cases.choices = [SelectChoice(case.slug, case.name) for case in offered]
        self.country.choices = [SelectChoice("", _("Choose a country")), *country_choices(language())]

    def validate_ends(self, field: Field) -> None:
        """Refuse days that cannot be those of a drive."""
        if self.starts.errors or self.starts.data is None:
            return
        try:
            check_plan(self._season, self.starts.data, field.data, 1)
        except Refused as problem:
            raise ValidationError(str(problem.why)) from None

    def values(self) -> dict[str, Any]:
        """Return what was typed of a drive, by field."""
        return {field.name: field.data for field in self if field.name != "ticket"}

    def new_drive(self) -> NewDrive:
        """Return what was typed, as a drive to start."""
        return NewDrive(**self.values(), language=language())


class PlanForm(StartForm):
    """The plan of a drive that was started: what can still be changed."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("ticket", "country", "email"):
            del self[name]

    def plan(self) -> Plan:
        """Return what was typed."""
        return Plan(**self.values())


class LinksForm(Form):
    """Where to send somebody's links again."""

    email = EmailField(_l("The e-mail address you started with"))


class ReportForm(BaseForm):
    """What a class has counted: one number for each of `lines`; `told` is what it said before."""

    def __init__(self, typed: Any, lines: Sequence[Line], told: Mapping[Line, int | None]) -> None:
        super().__init__({field_name(line): _count_field() for line in lines})
        self._lines = tuple(lines)
        self.process(typed, data={field_name(line): number for line, number in told.items()})

    def validate(self, *args: Any, **kwargs: Any) -> bool:
        """Say whether the numbers can be, and whether there is one at all."""
        if not super().validate(*args, **kwargs):
            return False
        if self._lines and not self.numbers():
            self[field_name(self._lines[0])].errors = [_("Give at least one number")]
            return False
        return True

    def numbers(self) -> dict[Line, int]:
        """Return what was typed; an empty field says nothing."""
        typed = {line: self[field_name(line)].data for line in self._lines}
        return {line: number for line, number in typed.items() if number is not None}


def field_name(line: Line) -> str:
    """Return the name of a line's field."""
    return f"{line.sort.value}-{line.case}"


def _count_field() -> NumberField:
    wrong = _l("Give a number from 0 to %(max)s")
    return NumberField(validators=[Optional(), NumberRange(0, MOST_REPORTED, wrong)])
