"""`wfr staff` and `wfr audit`: what the server's shell may do about accounts, and the proof of the audit trail."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from typing import Any

import click
from email_validator import EmailNotValidError
from flask.cli import with_appcontext

from wfr.errors import NoSuchThing, NotAllowed, Refused
from wfr.extensions import db
from wfr.staff import accounts
from wfr.staff.accounts import Outcome
from wfr.staff.auditing import find_breaks
from wfr.staff.forms import clean_address
from wfr.staff.models import SHELL, Request, Role
from wfr.staff.naming import is_name, tidy_name
from wfr.staff.queries import account_named, count_entries, everybody
from wfr.staff.second_factor import show_code

ROLE = click.Choice([role.value for role in Role])


@click.group()
def staff() -> None:
    """The people on the desk. Who has this shell needs nobody's agreement."""


def _command(group: click.Group) -> Callable[[Callable[..., None]], click.Command]:
    """Register a command whose refusals are said in one line."""

    def register(work: Callable[..., None]) -> click.Command:
        @functools.wraps(work)
        def said(**given: Any) -> None:
            try:
                work(**given)
            except NoSuchThing as problem:
                raise click.ClickException(f"There is no {problem}.") from None
            except (Refused, NotAllowed) as problem:
                raise click.ClickException(str(problem.why)) from None

        return group.command(name=work.__name__.rstrip("_"))(with_appcontext(said))

    return register


@_command(staff)
@click.argument("name")
@click.option("--email", required=True, help="Where the invitation goes.")
@click.option("--role", type=ROLE, required=True)
def add(name: str, email: str, role: str) -> None:
    """Make an account, and print the single-use link with which NAME sets it up."""
    if not is_name(tidy_name(name)):
        raise click.BadParameter("2 to 40 letters and digits, parted by single dots, dashes or spaces.")
    try:
        address = clean_address(email)
    except EmailNotValidError as problem:
        raise click.BadParameter(f"--email: {problem}") from None
    _tell(accounts.propose(name=tidy_name(name), email=address, role=Role(role), by=SHELL))


@_command(staff)
def list_() -> None:
    """Show every account: name, role, state, and what waits for a second person."""
    for account in everybody().accounts:
        waits = f"   waits: {account.request} {account.requested_role or ''}".rstrip() if account.request else ""
        click.echo(f"{account.name:<24}{account.role:<13}{account.state:<10}{account.email}{waits}")


@_command(staff)
@click.argument("name")
def agree(name: str) -> None:
    """Agree to what a coordinator asked for NAME."""
    _tell(accounts.agree(account_id=account_named(name).id, mark=None, by=SHELL))


@_command(staff)
@click.argument("name")
@click.argument("role", type=ROLE)
def role(name: str, role: str) -> None:
    """Give NAME another ROLE."""
    _tell(accounts.ask(account_id=account_named(name).id, request=Request.ROLE, role=Role(role), by=SHELL))


@_command(staff)
@click.argument("name")
def reset(name: str) -> None:
    """Take password and second factor of NAME away, and print a link to set them up anew."""
    _tell(accounts.ask(account_id=account_named(name).id, request=Request.RESET, by=SHELL))


@_command(staff)
@click.argument("name")
def enable(name: str) -> None:
    """Open a disabled account again: print a link to set it up anew."""
    _tell(accounts.ask(account_id=account_named(name).id, request=Request.ENABLE, by=SHELL))


@_command(staff)
@click.argument("name")
def disable(name: str) -> None:
    """Close the account of NAME at once."""
    accounts.disable(account_id=account_named(name).id, by=SHELL)
    click.echo(f"{tidy_name(name)} is disabled and signed out everywhere.")


@_command(staff)
@click.argument("name")
def code(name: str) -> None:
    """Print the present code of NAME's second factor, and for how many seconds it is good. It goes into the trail."""
    shown = show_code(account_id=account_named(name).id, now=time.time(), by=SHELL)
    if shown.used:
        click.echo(f"The present code was used already; the next one comes in {shown.seconds} s.")
    else:
        click.echo(f"{shown.code}   good for {shown.seconds} s")


def _tell(outcome: Outcome) -> None:
    if outcome.invitation is None:
        click.echo(f"{outcome.account.name} is {outcome.account.role} now.")
        return
    click.echo(f"{outcome.account.name} sets the account up here, once, within three days:")
    click.echo(outcome.invitation.link)
    click.echo("It was also mailed." if outcome.invitation.sent else "It was not mailed: hand it over yourself.")


@click.group()
def audit() -> None:
    """The audit trail: who did what at the desk."""


@_command(audit)
def verify() -> None:
    """Walk the whole trail; exit status 1 and a line for each row that was changed, is missing or was added."""
    breaks = list(find_breaks(db.session))
    for found in breaks:
        click.echo(found)
    if breaks:
        raise SystemExit(1)
    click.echo(f"{count_entries():,} entries, unbroken")


commands: tuple[click.Command, ...] = (staff, audit)
