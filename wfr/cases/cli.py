"""`wfr season`: a season comes from files, until a desk writes it."""

from __future__ import annotations

from pathlib import Path

import click
from flask.cli import with_appcontext

from wfr.cases.loading import CannotLoad, load_season


@click.group()
def season() -> None:
    """Your own season."""


@season.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@with_appcontext
def load(folder: Path) -> None:
    """Load season.toml, cases/*.toml and stories.toml from FOLDER. Loading again brings their words up to date."""
    try:
        name = load_season(folder)
    except CannotLoad as problem:
        raise click.ClickException(str(problem)) from None
    click.echo(f"{name} is loaded. Visitors see it within seconds.")


commands: tuple[click.Command, ...] = (season,)
