"""`wfr network`: what the mail server, and the server's shell, tell the Urgent Action Network."""

from __future__ import annotations

import sys

import click
from flask.cli import with_appcontext

from wfr.errors import DatabaseAway, NoSuchThing
from wfr.network.bouncing import LONGEST, release_address, take_bounce

TRY_AGAIN = 75
"""What a mail server takes for "keep it and try again" (EX_TEMPFAIL of sysexits.h)."""


@click.group()
def network() -> None:
    """The Urgent Action Network's mail."""


@network.command()
@with_appcontext
def bounce() -> None:
    """Read one mail that came back, from standard input; for a pipe in the mail server's configuration."""
    try:
        understood = take_bounce(sys.stdin.buffer.read(LONGEST))
        # A pipe that is closed too early looks to some mail servers as if the command had failed.
        while sys.stdin.buffer.read(LONGEST):
            pass
    except DatabaseAway:
        sys.exit(TRY_AGAIN)
    click.echo("A delivery has failed for good." if understood else "This tells of no delivery that failed for good.")


@network.command()
@click.argument("address")
@with_appcontext
def release(address: str) -> None:
    """Let ADDRESS be written to again, after mail came back from it. Its owner has to join anew."""
    try:
        release_address(address)
    except NoSuchThing as problem:
        raise click.ClickException(f"There is no {problem}.") from None
    click.echo("Released. Its owner can join again.")


commands: tuple[click.Command, ...] = (network,)
"""What the program's command line gets from here."""
