"""The console script `wfr`: its own commands, and those that the domains bring."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import Any

import click
from flask import Flask
from flask.cli import ScriptInfo
from sqlalchemy import inspect

from wfr import backup, create_app, jobs, schema, server
from wfr.cases.loading import refuse_public_demonstration
from wfr.cases.models import Season
from wfr.cases.queries import is_demonstration
from wfr.cases.season_files import CannotLoad
from wfr.config import ConfigError, Settings
from wfr.extensions import db
from wfr.network.restoring import (
    Kept,
    count_restored_members,
    hold_restored_mailings,
    keep_suppressed,
    suppression_list,
)
from wfr.share.restoring import hold_restored_posts
from wfr.telemetry import set_up_log

FIRST_STEPS = """The database is empty: there is no season yet.
  To look around, stop this and start: WFR_DEMO=1 WFR_DATA=demonstration wfr run
  To begin your own: make it at the desk, or take it over from files: wfr season import FOLDER (docs/operating.md).
"""


class Commands(click.Group):
    """A group that also has the commands of the app, once the settings are right."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands."""
        return sorted({*super().list_commands(ctx), *_app(ctx).cli.list_commands(ctx)})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command of this file, or else one that a domain brings."""
        own = super().get_command(ctx, cmd_name)
        return own or _app(ctx).cli.get_command(ctx, cmd_name)


def _settings(**changes: Any) -> Settings:
    environ = {**os.environ, **{name: str(value) for name, value in changes.items() if value is not None}}
    try:
        return Settings.load(environ)
    except ConfigError as problem:
        raise click.ClickException(str(problem)) from problem


def _app(ctx: click.Context) -> Flask:
    root = ctx.find_root()
    if root.obj is None:
        settings = _settings()
        set_up_log(settings.log_format)
        app = create_app(settings)
        root.obj = ScriptInfo(create_app=lambda: app)
        root.with_resource(app.app_context())
    loaded: Flask = root.obj.load_app()
    return loaded


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="wfr")
def main() -> None:
    """Write for Rights: letters, e-mails and posts for people at risk, and an honest count of them."""


@main.command()
@click.option("--port", type=int, help="Port to listen on, instead of PORT.")
@click.option("--bind", help="Address to listen on, instead of WFR_BIND.")
@click.pass_context
def run(ctx: click.Context, port: int | None, bind: str | None) -> None:
    """Serve the site and run its background jobs, in one process."""
    settings = _settings(PORT=port, WFR_BIND=bind)
    set_up_log(settings.log_format)
    app = create_app(settings)
    schema.upgrade(app, settings.data)
    with app.app_context():
        _prepare(ctx, app, settings)
        # The server forks: no connection may be shared between its processes.
        db.engine.dispose()
    try:
        server.run(lambda: create_app(settings), settings, partial(_announce, settings))
    except ConfigError as problem:
        raise click.ClickException(str(problem)) from problem


def _announce(settings: Settings, address: str) -> None:
    click.echo(f"{address}  (Ctrl-C ends it)")
    if not settings.secure_cookies:
        click.echo("Plain HTTP, for this machine alone: the desk’s cookies are not marked Secure.")


def _prepare(ctx: click.Context, app: Flask, settings: Settings) -> None:
    try:
        refuse_public_demonstration(db.session, public=settings.is_reachable)
    except CannotLoad as problem:
        raise click.ClickException(str(problem)) from problem
    demonstration = is_demonstration(db.session)
    empty = db.session.query(Season.id).first() is None
    db.session.rollback()
    if settings.demo and not empty and not demonstration:
        raise click.ClickException(
            "WFR_DEMO: this database holds a real season. Take WFR_DEMO away, or choose another WFR_DATA."
        )
    if demonstration or (settings.demo and empty):
        # Each time: loading again moves the season's dates, so that it is open today.
        click.echo("Bringing the demonstration up to today …" if demonstration else "Loading the demonstration …")
        _invoke(ctx, app, "demo", "load")
    elif empty:
        click.echo(FIRST_STEPS)


def _invoke(ctx: click.Context, app: Flask, group: str, command: str) -> None:
    found = app.cli.get_command(ctx, group)
    assert isinstance(found, click.Group)  # noqa: S101 -- narrows the type; create_app registers it
    chosen = found.get_command(ctx, command)
    assert chosen is not None  # noqa: S101 -- as above
    ctx.invoke(chosen)


@main.command()
@click.pass_context
def worker(ctx: click.Context) -> None:
    """Run the background jobs in a process of their own."""
    app = _app(ctx)
    server.check_printing()
    click.echo("Jobs: " + ", ".join(sorted(jobs.queue_of(app).jobs)))
    jobs.queue_of(app).work()


@main.group(name="db")
def database() -> None:
    """Look after the database."""


@database.command()
@click.pass_context
def upgrade(ctx: click.Context) -> None:
    """Bring the database to the newest migration."""
    app = _app(ctx)
    changed = schema.upgrade(app, _settings().data)
    click.echo("The database has been upgraded." if changed else "The database is up to date.")


@main.command()
def config() -> None:
    """Show every setting: its meaning and its present value, secrets masked."""
    settings = _settings()
    for setting in settings.describe():
        click.echo(f"{setting.name} = {setting.value}{'' if setting.is_set else '   (default)'}")
        click.echo(f"    {setting.meaning}")
    for name, meant in Settings.strangers().items():
        click.echo(f"{name} is set but is no setting{f'; did you mean {meant}?' if meant else '.'}", err=True)


@main.command(name="backup")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.pass_context
def make_backup(ctx: click.Context, file: Path) -> None:
    """Write the whole database and the uploads to FILE."""
    _app(ctx)
    try:
        counts = backup.make_backup(db.engine, db.metadata, _settings().uploads, file)
    except (backup.BackupError, OSError) as problem:
        raise click.ClickException(str(problem)) from problem
    click.echo(f"{sum(counts.values()):,} rows of {len(counts)} tables are in {file}.")


@main.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--force", is_flag=True, help="Delete what the database holds.")
@click.pass_context
def restore(ctx: click.Context, file: Path, force: bool) -> None:
    """Put the backup in FILE into an empty database. Stop the site first."""
    app = _app(ctx)
    if not inspect(db.engine).has_table("alembic_version"):
        schema.upgrade(app, _settings().data)
    kept = suppression_list() if force else None
    try:
        counts = backup.restore_backup(db.engine, db.metadata, _settings().uploads, file, force=force)
    except (backup.BackupError, OSError) as problem:
        raise click.ClickException(str(problem)) from problem
    held, mailings = hold_restored_posts(), hold_restored_mailings()
    click.echo(f"{sum(counts.values()):,} rows of {len(counts)} tables are restored. Now run: wfr tally verify")
    if held:
        click.echo(f"{held} campaign posts are held: they may have gone out since. Look at them at the desk.")
    if mailings:
        click.echo(f"{mailings} mailings are held: they may have gone on since. Look at them at the desk.")
    _tell_who_is_back(kept)


def _tell_who_is_back(kept: Kept | None) -> None:
    """Erase who has left the network since the backup, by the list of the database that was there; or warn."""
    if kept is not None:
        if left := keep_suppressed(kept):
            click.echo(f"{left} members are erased again: they have left since, or their mail came back.")
    elif members := count_restored_members():
        click.echo(
            f"Who left after this backup was made is a member again: {members} members are restored, and the "
            "list of who has left since was not in this database."
        )
