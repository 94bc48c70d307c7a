"""What the desk may type of campaign posts. A draft may lack anything; what keeps it from going out is said beside."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, Field, Form, IntegerField, RadioField, SelectField
from wtforms.validators import InputRequired, Optional, ValidationError

from wfr.cases.desk_forms import DayField, HourField, at_most, language_name, options
from wfr.extensions import settings, utc_now
from wfr.fields import LineField, WordsField
from wfr.share.models import CampaignPost, LinkPlace
from wfr.share.posting import PostDraft
from wfr.share.x import LONGEST_ALT

SEASON = 0
"""Stands for the season where a case is chosen."""

LONGEST_WORDS = 1_000
HALF = _l("Give a day and a time, or neither.")

PLACE_WORDS = {
    LinkPlace.POST: _l("In the post"),
    LinkPlace.REPLY: _l("In a first reply"),
    LinkPlace.PROFILE: _l("Nowhere: the account’s profile has one"),
}


class NewPostForm(Form):
    """What a new post begins with."""

    case = SelectField(_l("About"), coerce=int)
    language = SelectField(_l("Language"), default="en")

    def __init__(self, *args: Any, cases: list[tuple[int, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.case.choices = options([(SEASON, _l("The season")), *cases])
        self.language.choices = options((tag, language_name(tag)) for tag in settings().languages)


class PostForm(Form):
    """What a post says, and when: `wfr.share.posting.PostDraft`."""

    revision = IntegerField(_l("Revision"), [InputRequired()])
    words = WordsField(_l("Words"), [at_most(LONGEST_WORDS)])
    link_in = RadioField(_l("The link stands"), choices=options(PLACE_WORDS.items()), default=LinkPlace.POST)
    reply_words = WordsField(_l("Words of the reply"), [at_most(LONGEST_WORDS)])
    card = BooleanField(_l("Attach the share card"))
    card_alt = WordsField(_l("What the picture shows"), [at_most(LONGEST_ALT)])
    on = DayField(_l("Day"), [Optional()])
    at = HourField(_l("Time (UTC)"), [Optional()])

    @classmethod
    def of(cls, post: CampaignPost) -> PostForm:
        """Return the form as it shows a stored post."""
        day = post.publish_at.date() if post.publish_at else None
        hour = post.publish_at.time() if post.publish_at else None
        return cls(obj=post, data={"on": day, "at": hour})

    def validate_on(self, field: Field) -> None:
        """A day and an hour come together, and lie ahead."""
        moment = self.moment()
        if field.data is not None and self.at.data is None:
            raise ValidationError(HALF)
        if moment is not None and moment <= utc_now():
            raise ValidationError(_l("That moment has passed. Choose a later one, or leave day and time empty."))

    def validate_at(self, field: Field) -> None:
        """The other half: `validate_on` is not asked where no day was given."""
        if field.data is not None and self.on.data is None:
            raise ValidationError(HALF)

    def moment(self) -> datetime | None:
        """Return the hour that was asked for, in UTC without a zone, or None for as soon as it is approved."""
        if self.on.data is None or self.at.data is None:
            return None
        return datetime.combine(self.on.data, self.at.data)

    def draft(self) -> PostDraft:
        """Return what was typed."""
        known = self.link_in.data in list(LinkPlace)
        return PostDraft(
            words=self.words.data or "",
            reply_words=self.reply_words.data or "",
            link_in=LinkPlace(self.link_in.data) if known else LinkPlace.POST,
            card=bool(self.card.data),
            card_alt=self.card_alt.data or "",
            publish_at=self.moment(),
        )


class ReturnForm(Form):
    """What should change."""

    note = LineField(_l("What should change"), [InputRequired(_l("Say what should change.")), at_most(500)])


class AddressForm(Form):
    """Where a post is on X."""

    address = LineField(_l("Its address on X"), [InputRequired(_l("Paste the post’s address.")), at_most(200)])
