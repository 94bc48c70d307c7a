"""What the desk may type of Urgent Actions, and what visitors may ask the archive."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _l
from wtforms import Form, RadioField, SelectField
from wtforms.validators import InputRequired, Optional, Regexp

from wfr.cases.desk_forms import DayField, at_most, country_choices, language_choices, options
from wfr.cases.drafting import SLUG, NewCase
from wfr.fields import LineField
from wfr.network.interests import CONCERN_WORDS, Concern
from wfr.network.issuing import IssuePlan, NewUrgentAction
from wfr.network.models import UrgentAction, UrgentIssue

UPDATE, OUTCOME = "update", "outcome"


class NewUrgentForm(Form):
    """What a new Urgent Action begins with."""

    name = LineField(_l("Name, as it may be shown"), [InputRequired(_l("Give the name.")), at_most(160)])
    slug = LineField(
        _l("Address of its page"),
        [
            InputRequired(_l("Give an address, such as ada-vale.")),
            at_most(80),
            Regexp(f"{SLUG.pattern}$", message=_l("Small letters, digits and hyphens: ada-vale")),
        ],
    )
    number = LineField(_l("UA number"), [InputRequired(_l("Give the number, such as UA 12/26.")), at_most(20)])
    country = SelectField(_l("Country"), [InputRequired(_l("Choose a country."))])
    language = SelectField(_l("First language"), default="en")
    concern = SelectField(_l("Concern"), [InputRequired(_l("Choose what it is about."))])
    write_before = DayField(_l("Write before"), [InputRequired(_l("Give the day to write before."))])

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.country.choices = country_choices()
        self.language.choices = options(language_choices())
        self.concern.choices = options([("", _l("Choose")), *CONCERN_WORDS.items()])

    def asked(self) -> NewUrgentAction:
        """Return what was typed."""
        case = NewCase(
            slug=self.slug.data or "",
            name=self.name.data or "",
            country=self.country.data,
            season_id=None,
            language=self.language.data,
            deadline=self.write_before.data,
        )
        return NewUrgentAction(case, self.number.data or "", Concern(self.concern.data))


class IssueForm(Form):
    """What the desk says of an issue that is still a draft."""

    sort = RadioField(
        _l("What it is"),
        choices=options([(UPDATE, _l("An update that asks for action")), (OUTCOME, _l("The outcome: nothing more"))]),
        default=UPDATE,
    )
    index_number = LineField(_l("Index number"), [at_most(40)])
    write_before = DayField(_l("Write before"), [Optional()])
    concern = SelectField(_l("Concern"), choices=options(CONCERN_WORDS.items()))

    @classmethod
    def of(cls, action: UrgentAction, issue: UrgentIssue) -> IssueForm:
        """Return the form as it shows a stored draft."""
        return cls(obj=issue, data={"sort": OUTCOME if issue.outcome else UPDATE, "concern": action.concern})

    def plan(self) -> IssuePlan:
        """Return what was typed."""
        return IssuePlan(
            index_number=self.index_number.data or "",
            write_before=self.write_before.data,
            concern=Concern(self.concern.data),
            outcome=self.sort.data == OUTCOME,
        )
