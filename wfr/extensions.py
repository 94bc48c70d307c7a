"""The Flask extensions, made once and bound to an app by `wfr.create_app`, and what they lack for us."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import structlog
from flask import Flask, current_app
from flask_babel import Babel, force_locale
from flask_compress import Compress
from flask_htmx import HTMX
from flask_limiter import Limiter
from flask_migrate import Migrate
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import Connection, Engine, MetaData
from sqlalchemy.orm import DeclarativeBase, Session, scoped_session

from wfr.config import Settings
from wfr.errors import DATABASE_AWAY, DatabaseAway
from wfr.sqlite import WRITES, WriteGate, prepare

AnySession = Session | scoped_session[Any]
"""A session, or the one that belongs to the present request."""

T = TypeVar("T")
P = ParamSpec("P")
R = TypeVar("R")

POOL_TIMEOUT_SECONDS = 5
CONNECT_TIMEOUT_SECONDS = 3
NEVER = float("-inf")
PATIENCE_SECONDS = 1.0

log = structlog.get_logger(__name__)


def utc_now() -> datetime:
    """Return this moment in UTC without a zone, as the database keeps it."""
    return datetime.now(UTC).replace(tzinfo=None)


class Base(DeclarativeBase):
    """The declarative base: every constraint has a name, so that a migration can find it again."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


db = SQLAlchemy(model_class=Base, session_options={"expire_on_commit": False})
migrate = Migrate()
babel = Babel()
htmx = HTMX()
compress = Compress()


def address_key() -> str:
    """Return the keyed hash under which the present request's address is counted by the rate limits."""
    return str(current_app.extensions["wfr.address_key"]())


limiter = Limiter(key_func=address_key)


def limit_of(name: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Limit a view per address by the setting `name`, read when asked so that each app has its own."""
    decorator: Callable[[Callable[P, R]], Callable[P, R]] = limiter.limit(lambda: str(getattr(settings(), name)))
    return decorator


@contextmanager
def transaction() -> Iterator[AnySession]:
    """Run one write transaction: commit at the end, roll back on any error.

    On SQLite writers queue for the database file and begin with its write lock, so that none fails half-way.
    Raises `wfr.errors.DatabaseAway` when the database does not answer; nothing is recorded then.
    """
    session = db.session
    try:
        session.rollback()
        with current_app.extensions["wfr.write_gate"]():
            session.connection(execution_options={WRITES: True})
            yield session
            session.commit()
    except DATABASE_AWAY as problem:
        session.rollback()
        raise _away(problem) from problem
    except BaseException:
        session.rollback()
        raise


def _away(problem: Exception) -> DatabaseAway:
    # The driver's own words, not the statement with its values.
    log.error("not_recorded", error=type(problem).__name__, why=str(getattr(problem, "orig", problem))[:300])
    return DatabaseAway()


def write_gate() -> AbstractContextManager[None]:
    """Return what a write outside `transaction` must be done within: on SQLite the turn to write, else nothing."""
    gate: AbstractContextManager[None] = current_app.extensions["wfr.write_gate"]()
    return gate


@contextmanager
def one_statement() -> Iterator[Connection]:
    """Give a connection for a single statement, which is a transaction by itself: one round trip instead of four.

    Raises `wfr.errors.DatabaseAway` when the database does not answer.
    """
    try:
        with db.engine.connect() as connection:
            yield connection.execution_options(isolation_level="AUTOCOMMIT")
    except DATABASE_AWAY as problem:
        raise _away(problem) from problem


class Kept:
    """Values that one process reads at most once in a while and shares between its requests.

    Whoever finds a value too old reads it anew, one reader at a time; the others are served the old value meanwhile.
    """

    def __init__(self) -> None:
        self._entries: dict[str, _Entry] = {}
        self._lock = threading.Lock()

    def get(self, name: str, seconds: float, read: Callable[[], T]) -> T:
        """Return the value under `name`, at most `seconds` old, calling `read` for a new one when needed.

        While the database is away the last value is served, however old; whatever else `read` raises is raised to its
        caller.
        """
        entry = self._entries.get(name)
        if entry is None:
            with self._lock:
                entry = self._entries.setdefault(name, _Entry())
        age = time.monotonic() - entry.made
        if age < seconds:
            return entry.value  # type: ignore[no-any-return]
        # A value not too much older may be served while somebody reads it anew; anything older is worth a short wait.
        if entry.made == NEVER:
            entry.lock.acquire()
        elif not entry.lock.acquire(timeout=PATIENCE_SECONDS if age > 2 * seconds else 0):
            if age > 2 * seconds:
                # Whoever reads is stuck with a database that hangs: nobody else needs to wait for it for a while.
                entry.made = time.monotonic()
            return entry.value  # type: ignore[no-any-return]
        try:
            if time.monotonic() - entry.made >= seconds:
                self._refresh(entry, name, read)
            return entry.value  # type: ignore[no-any-return]
        finally:
            entry.lock.release()

    def _refresh(self, entry: _Entry, name: str, read: Callable[[], Any]) -> None:
        began = time.monotonic()
        try:
            entry.value = read()
        except DATABASE_AWAY as problem:
            if entry.made == NEVER:
                raise
            log.warning("serving_last_known", what=name, error=type(problem).__name__)
            began = time.monotonic()
        entry.made = began

    def keep_newest(self, prefix: str, room: int) -> None:
        """Let at most `room` of the values whose name begins with `prefix` stay, those that came last."""
        with self._lock:
            names = [name for name in self._entries if name.startswith(prefix)]
            for name in names[:-room]:
                self._entries.pop(name, None)

    def forget(self, name: str) -> None:
        """Make the next `get` of `name` read anew."""
        self._entries.pop(name, None)


class _Entry:
    __slots__ = ("lock", "made", "value")

    def __init__(self) -> None:
        self.value: Any = None
        self.made = NEVER
        self.lock = threading.Lock()


def settings() -> Settings:
    """Return the present app's settings."""
    present: Settings = current_app.extensions["wfr.settings"]
    return present


def kept() -> Kept:
    """Return the present app's kept values."""
    values: Kept = current_app.extensions["wfr.kept"]
    return values


def render_apart(template: str, language: str, **values: Any) -> str:
    """Render a template in `language` with these values and no others, whoever asks: a request, a job, a command."""
    with current_app.app_context(), force_locale(language.replace("-", "_")):
        return current_app.jinja_env.get_template(template).render(values, language=language)


def in_app(work: Callable[[], R]) -> Callable[[], R]:
    """Return `work` for another thread to call: it runs inside the present app, with a session of its own."""
    app = current_app._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001 -- as Flask's manual says

    def run() -> R:
        with app.app_context():
            return work()

    return run


def engine_options(settings: Settings) -> dict[str, Any]:
    """Return how SQLAlchemy connects: one connection a thread; a database that is away is noticed in seconds."""
    options: dict[str, Any] = {
        "pool_size": settings.threads,
        "max_overflow": 2,
        "pool_timeout": POOL_TIMEOUT_SECONDS,
        # A teacher's address is a parameter: the words of a database error, which are logged, leave it out.
        "hide_parameters": True,
    }
    if not settings.uses_sqlite:
        options |= {"pool_pre_ping": False, "connect_args": {"connect_timeout": CONNECT_TIMEOUT_SECONDS}}
    return options


def init_app(app: Flask) -> None:
    """Bind every extension to `app`, except those that other modules bind with more to say."""
    app.extensions["wfr.kept"] = Kept()
    db.init_app(app)
    migrate.init_app(app, db)
    htmx.init_app(app)
    compress.init_app(app)
    limiter.init_app(app)
    with app.app_context():
        app.extensions["wfr.write_gate"] = _write_gate(db.engine)


def _write_gate(engine: Engine) -> Callable[[], AbstractContextManager[None]]:
    if engine.dialect.name != "sqlite":
        return nullcontext
    prepare(engine)
    return WriteGate(Path(f"{engine.url.database}.turn")).writing
