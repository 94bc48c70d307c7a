"""What people type to sign in, to set up their account and to look after everybody's."""

from __future__ import annotations

from typing import Any

from email_validator import EmailNotValidError, validate_email
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import Field, Form, HiddenField, PasswordField, SelectField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import EqualTo, InputRequired, Length, ValidationError

from wfr.staff.models import Role
from wfr.staff.naming import LONGEST_NAME, is_name, tidy_name
from wfr.staff.passwords import LONGEST as LONGEST_PASSWORD

LONGEST_CODE = 40
LONGEST_EMAIL = 254

ROLES = {
    Role.WRITER: _l("writer"),
    Role.REVIEWER: _l("reviewer"),
    Role.COORDINATOR: _l("coordinator"),
}

ROLE_CHOICES = [SelectChoice(role.value, words) for role, words in ROLES.items()]


def _code_field(label: Any) -> StringField:
    too_long = Length(max=LONGEST_CODE, message=_l("A code has six digits"))
    return StringField(label, validators=[InputRequired(_l("Give the code that your app shows")), too_long])


def _new_password_field() -> PasswordField:
    # Its length is judged with everything else about it; this only keeps a book from being sent.
    too_long = Length(max=10 * LONGEST_PASSWORD, message=_l("Take a shorter password"))
    return PasswordField(_l("New password"), validators=[InputRequired(_l("Choose a password")), too_long])


def _again_field() -> PasswordField:
    same = EqualTo("password", message=_l("Type the same password twice"))
    return PasswordField(_l("The same once more"), validators=[same])


class SignInForm(Form):
    """Name, password and code. Nothing is said about each: only all three together are right or wrong."""

    name = StringField(_l("Name"))
    password = PasswordField(_l("Password"))
    code = StringField(_l("Code"))
    next = HiddenField()


class SetUpForm(Form):
    """Password and second factor of an account that was invited."""

    password = _new_password_field()
    again = _again_field()
    code = _code_field(_l("Code from your app"))
    sealed = HiddenField()


class PasswordForm(Form):
    """Another password for oneself."""

    present = PasswordField(_l("Present password"), validators=[InputRequired(_l("Give your present password"))])
    password = _new_password_field()
    again = _again_field()


class SecondFactorForm(Form):
    """Another second factor for oneself."""

    code = _code_field(_l("Code from the new entry in your app"))
    sealed = HiddenField()


class ProposeForm(Form):
    """A new account."""

    name = StringField(_l("Name to sign in with"), filters=[lambda typed: tidy_name(typed or "")])
    email = StringField(_l("E-mail address"), filters=[lambda typed: (typed or "").strip()[: LONGEST_EMAIL + 1]])
    role = SelectField(_l("Role"), choices=ROLE_CHOICES)

    def validate_name(self, field: Field) -> None:
        """Refuse what cannot be a name."""
        if not is_name(field.data):
            raise ValidationError(
                _(
                    "A name has 2 to %(longest)d letters and digits, parted by single dots, dashes or spaces",
                    longest=LONGEST_NAME,
                )
            )

    def validate_email(self, field: Field) -> None:
        """Refuse what cannot be an address; take it as mail servers write it."""
        try:
            field.data = clean_address(field.data)
        except EmailNotValidError:
            raise ValidationError(_("Give an e-mail address such as name@example.org")) from None


class RoleForm(Form):
    """Another role for an account."""

    role = SelectField(_l("Role"), choices=ROLE_CHOICES)


def clean_address(typed: str) -> str:
    """Return an e-mail address as mail servers write it; raises `email_validator.EmailNotValidError`."""
    return validate_email(typed, check_deliverability=False).normalized
