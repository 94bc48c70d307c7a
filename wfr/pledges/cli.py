"""`wfr demo` and `wfr tally`."""

from __future__ import annotations

import click
from flask import current_app
from flask.cli import with_appcontext

from wfr import paths
from wfr.cases.queries import is_demonstration
from wfr.cases.season_files import CannotLoad
from wfr.extensions import db
from wfr.pledges.simulating import load_demonstration, replay
from wfr.pledges.tallying import find_drift
from wfr.staff.demonstrating import make_people

PARTS = "wfr.demonstration_parts"
"""The app's extension that lists what higher domains load with the demonstration, each a function without arguments."""


@click.group()
def demo() -> None:
    """The demonstration season: seven real cases of 2020, replayed."""


@demo.command()
@click.option("--empty", is_flag=True, help="Leave the simulated pledges out.")
@with_appcontext
def load(empty: bool) -> None:
    """Load the demonstration into an empty database and stamp it as one for ever. Loading again changes nothing."""
    try:
        added = load_demonstration(paths.DEMO, simulated=not empty)
        for load_part in current_app.extensions.get(PARTS, ()):
            load_part()
    except CannotLoad as problem:
        raise click.ClickException(str(problem)) from None
    click.echo(f"The demonstration is loaded{f', with {added:,} simulated pledges' if added else ''}.")


@demo.command("replay")
@click.option("--per-minute", type=click.FloatRange(min=0.1, max=6000), default=20, show_default=True)
@with_appcontext
def replay_pledges(per_minute: float) -> None:
    """Make simulated pledges until Ctrl-C, for a presenter who wants to show a moving number."""
    try:
        for promise in replay(per_minute):
            click.echo(f"{promise.kind} from {promise.country} for case {promise.case_id}")
    except CannotLoad as problem:
        raise click.ClickException(str(problem)) from None
    except KeyboardInterrupt:
        click.echo("Stopped.")


@demo.command("staff")
@with_appcontext
def make_staff() -> None:
    """Make one account of each role and a second coordinator; print their passwords once. Again: new passwords."""
    if not is_demonstration(db.session):
        raise click.ClickException("This database is no demonstration. For a real account: wfr staff add")
    for person in make_people():
        click.echo(f"{person.name} ({person.role})\n  password  {person.password}\n  {person.line}")
    click.echo("A present code: wfr staff code NAME. These lines are shown this once.")


@click.group()
def tally() -> None:
    """The counters and the ledger they must agree with."""


@tally.command()
@with_appcontext
def verify() -> None:
    """Recompute every counter from the ledger; exit status 1 and a line for each difference if they disagree."""
    drift = find_drift(db.session)
    for difference in drift:
        click.echo(str(difference))
    click.echo(f"drift {len(drift)}")
    if drift:
        raise SystemExit(1)


commands: tuple[click.Command, ...] = (demo, tally)
