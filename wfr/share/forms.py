"""What a visitor may change before sharing a case. None of it is ever stored."""

from __future__ import annotations

import re

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import Form, HiddenField
from wtforms.validators import Length, Optional, ValidationError

from wfr import intents
from wfr.cases.share_words import LONGEST
from wfr.fields import LineField, WordsField

_AROUND_A_HOST = re.compile(r"\A(?:https?://)?(?:@?[^@\s/]*@)?|/.*\Z", re.IGNORECASE)


class ShareForm(Form):
    """A visitor's own words, the Mastodon server they are at home on, and whose links these are."""

    words = WordsField(
        _l("Your words"),
        validators=[
            Optional(),
            Length(max=LONGEST, message=_l("Your words can have at most %(max)d characters: shorten them")),
        ],
    )
    server = LineField(_l("Your Mastodon server"), validators=[Optional()])
    private = HiddenField()

    def validate_server(self, field: LineField) -> None:
        """Take the host out of an address or a handle; raises `ValidationError` where there is none."""
        host = _AROUND_A_HOST.sub("", field.data)
        try:
            field.data = host.encode("idna").decode().lower()
            intents.mastodon_post(field.data, "")
        except ValueError:
            raise ValidationError(_("Type the name of your server, for example mastodon.social")) from None
