"""`wfr season`: a season from files, and back into them."""

from __future__ import annotations

from pathlib import Path

import click
from flask.cli import with_appcontext

from wfr.cases.exporting import export_season
from wfr.cases.importing import import_season, read_path
from wfr.cases.season_files import CannotLoad
from wfr.errors import NoSuchThing
from wfr.staff.models import SHELL


@click.group()
def season() -> None:
    """Your own season."""


@season.command("import")
@click.argument("source", type=click.Path(exists=True, path_type=Path))
@with_appcontext
def take_over(source: Path) -> None:
    """Take over season.toml, cases/*.toml and stories.toml from SOURCE, a folder or a ZIP, as drafts for the desk."""
    try:
        done = import_season(by=SHELL, files=read_path(source))
    except CannotLoad as problem:
        raise click.ClickException(str(problem)) from None
    click.echo(
        f"Season {done.season}{' (new)' if done.season_is_new else ''}: {len(done.new)} new cases, "
        f"{len(done.changed)} changed, {len(done.unchanged)} as they were, {len(done.stories)} stories as drafts, "
        f"{done.totals} years' totals. Nothing is published: the desk reviews and publishes."
    )


@season.command("export")
@click.argument("slug")
@click.argument("file", type=click.Path(dir_okay=False, writable=True, path_type=Path))
@with_appcontext
def write_out(slug: str, file: Path) -> None:
    """Write the season SLUG into a ZIP FILE, for another section to import."""
    try:
        file.write_bytes(export_season(by=SHELL, slug=slug))
    except NoSuchThing:
        raise click.ClickException(f"there is no season {slug}") from None
    click.echo(f"Written to {file}. Photographs and consents are not in it, nor are cases that were withdrawn.")


commands: tuple[click.Command, ...] = (season,)
