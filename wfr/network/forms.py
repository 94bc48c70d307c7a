"""What somebody may type to join, to change what she gets, and after an action."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from babel import Locale
from email_validator import EmailNotValidError, validate_email
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, Form, HiddenField, RadioField, SelectField, SelectMultipleField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, ValidationError

from wfr.countries import REGIONS, is_country, region_name
from wfr.drives.forms import EmailField
from wfr.network.interests import CONCERN_WORDS, concern_bits, concerns_in, region_bits, regions_in
from wfr.network.models import Frequency, Member
from wfr.network.preferring import Wishes
from wfr.network.reminding import DAYS
from wfr.pages import language
from wfr.pledges.forms import CountryField, country_choices

AT_MOST = (2, 4, 8)
"""How many Urgent Actions a month one can ask for at most."""


class AddressField(EmailField):
    """An e-mail address that every mail server takes: in ASCII and in lower case, so that each person has one."""

    def pre_validate(self, _form: Form) -> None:
        """Refuse what cannot be an address, or not one that mail can be sent to from everywhere."""
        try:
            known = validate_email(self.data or "", check_deliverability=False, allow_smtputf8=False)
        except EmailNotValidError:
            raise ValidationError(_("Give an e-mail address such as name@example.org")) from None
        self.data = (known.ascii_email or known.normalized).lower()


class AddressForm(Form):
    """An address, asked before anything else."""

    email = AddressField(_l("Your e-mail address"))


class WishesForm(Form):
    """What a member asks for. `languages` are the ones that can be chosen; `follows` offers news of followed only."""

    country = CountryField(_l("Your country"), validators=[InputRequired(_l("Choose your country"))])
    language = SelectField(_l("Language"), validators=[InputRequired(_l("Choose a language"))])
    second_language = SelectField(_l("Where a mail is not in it, then in"), default="")
    third_language = SelectField(_l("Else in"), default="")
    frequency = RadioField(_l("How often?"), validators=[InputRequired(_l("Choose how often we may write"))])
    at_most = SelectField(_l("How many a month"), coerce=int, default=4)
    regions = SelectMultipleField(_l("Regions"))
    concerns = SelectMultipleField(_l("Concerns"))

    def __init__(self, typed: Any, *, languages: list[str], follows: bool = False, **values: Any) -> None:
        super().__init__(typed, data=values)
        self.country.choices = [SelectChoice("", _("Choose a country")), *country_choices(language())]
        named = [SelectChoice(tag, _own_name(tag)) for tag in languages]
        self.language.choices = named
        if len(named) == 1:
            del self.second_language
            del self.third_language
        else:
            for field in (self.second_language, self.third_language):
                field.choices = [SelectChoice("", _("No other")), *named]
        self.frequency.choices = list(_frequencies(follows))
        self.at_most.choices = [SelectChoice(number, str(number)) for number in AT_MOST]
        self.regions.choices = [SelectChoice(code, region_name(code, language())) for code in REGIONS]
        self.concerns.choices = [SelectChoice(concern.value, words) for concern, words in CONCERN_WORDS.items()]

    def wishes(self) -> Wishes:
        """Return what was chosen."""
        chosen = (self.data.get(name) for name in ("language", "second_language", "third_language"))
        return Wishes(
            country=self.country.data,
            languages=tuple(each for each in chosen if each),
            frequency=Frequency(self.frequency.data),
            at_most=self.at_most.data,
            regions=region_bits(self.regions.data or ()),
            concerns=concern_bits(self.concerns.data or ()),
        )


class JoinForm(AddressForm, WishesForm):
    """The form that joins: an address, and what it is to get."""


class AfterForm(Form):
    """What somebody who has just acted may ask for; nothing of it is ticked. `paper` offers to be asked about post."""

    follow = BooleanField()
    join = BooleanField(_l("Write to me when hours count: at most four times a month, and a digest once a month"))
    remind = BooleanField(_l("Ask me once whether I have posted it"))
    days = SelectField(_l("After how many days"), coerce=int, default=7)
    email = AddressField(_l("Your e-mail address"))
    country = HiddenField()

    def __init__(self, typed: Any = None, *, paper: bool) -> None:
        super().__init__(typed)
        self.days.choices = [SelectChoice(days, _("in %(days)s days", days=days)) for days in DAYS]
        if not paper:
            del self.remind
            del self.days

    def validate_follow(self, _field: Any) -> None:
        """Refuse a form in which nothing is ticked: there is nothing that an address would be for."""
        if not (self.follow.data or self.join.data or self.remind_in()):
            raise ValidationError(_("Tick what we may write to you about"))

    def remind_in(self) -> int | None:
        """Return after how many days she wants to be asked, or None."""
        return int(self.days.data) if "remind" in self and self.remind.data else None

    def wishes(self) -> Wishes:
        """Return what an address gets that joins from here, or that only follows."""
        country = self.country.data or ""
        frequency = Frequency.AT_MOST if self.join.data else Frequency.FOLLOWING
        return Wishes(country if is_country(country) else "", (language(),), frequency)


def told(member: Member) -> dict[str, Any]:
    """Return what a member has asked for, as the fields of `WishesForm`."""
    return {
        "country": member.country,
        "language": member.language,
        "second_language": member.second_language or "",
        "third_language": member.third_language or "",
        "frequency": member.frequency,
        "at_most": member.at_most,
        "regions": regions_in(member.regions),
        "concerns": [concern.value for concern in concerns_in(member.concerns)],
    }


def _frequencies(follows: bool) -> Iterator[SelectChoice]:
    yield SelectChoice(Frequency.EVERY, _("Every Urgent Action, and a digest once a month"))
    yield SelectChoice(Frequency.AT_MOST, _("Only so many Urgent Actions a month, and a digest once a month"))
    yield SelectChoice(Frequency.WEEKLY, _("One digest a week"))
    yield SelectChoice(Frequency.MONTHLY, _("One digest a month"))
    if follows:
        yield SelectChoice(Frequency.FOLLOWING, _("Only news of the people I follow"))


def _own_name(tag: str) -> str:
    """Return what a language calls itself."""
    name = Locale.parse(tag, sep="-").get_display_name() or tag
    return name[:1].upper() + name[1:]
