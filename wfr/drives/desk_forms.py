"""What the desk may type about drives: a count, a question, a message, which drive another one is part of."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from wtforms import Form, HiddenField, IntegerField, SelectField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import DataRequired, InputRequired, NumberRange

from wfr.cases.desk_forms import at_most
from wfr.drives.models import Sort
from wfr.drives.moderating import LONGEST_MESSAGE
from wfr.drives.reporting import MOST_REPORTED, Line
from wfr.errors import NoSuchThing
from wfr.fields import LineField, WordsField

SORT_WORDS = {
    Sort.LETTER: _l("Letters"),
    Sort.SOLIDARITY: _l("Cards"),
    Sort.PETITION: _l("Signatures"),
}


class LineForm(Form):
    """A line of a drive's tally: a case, by its slug, and a sort."""

    case = HiddenField()
    sort = HiddenField()

    def line(self) -> Line:
        """Return the line that was named; raises `NoSuchThing` where no page of ours offers it."""
        if not self.case.data or self.sort.data not in list(Sort):
            raise NoSuchThing("line")
        return Line(self.case.data, Sort(self.sort.data))


class CountForm(LineForm):
    """What the office counted of a line."""

    number = IntegerField(
        _l("Counted"),
        validators=[
            InputRequired(_l("Give a whole number, such as 27")),
            NumberRange(0, MOST_REPORTED, _l("Give a number from %(min)d to %(max)d")),
        ],
    )


class OtherCountForm(CountForm):
    """A count of what nobody has written with the code or reported; the choices of `case` are the caller's."""

    case = SelectField(_l("Case"), validate_choice=False)
    sort = SelectField(_l("What"), choices=[SelectChoice(sort.value, words) for sort, words in SORT_WORDS.items()])


class AskForm(LineForm):
    """A question to the teacher about a line."""

    question = WordsField(
        _l("Your question"),
        validators=[DataRequired(_l("Write what you want to know")), at_most(LONGEST_MESSAGE)],
    )


class MessageForm(Form):
    """A word to the teacher."""

    words = WordsField(
        _l("Your message"),
        validators=[DataRequired(_l("Write what the teacher shall read")), at_most(LONGEST_MESSAGE)],
    )


class MergeForm(Form):
    """Which drive this one is part of; the choices are the caller's."""

    into = SelectField(
        _l("The drive that stays"), validators=[InputRequired(_l("Choose the drive that stays"))], validate_choice=False
    )


class FindForm(Form):
    """Which drives to list, of which season."""

    season = HiddenField()
    words = LineField(_l("Name of the school"))
    country = SelectField(_l("Country"), validate_choice=False)
