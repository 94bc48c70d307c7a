"""Every setting of the program: one typed class, filled from the environment, checked at start."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, SecretStr, ValidationError, model_validator
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict
from sqlalchemy import URL

from wfr import paths
from wfr.keys import derive_key, made_secret
from wfr.setting_types import (
    Colour,
    Database,
    Folder,
    Host,
    Languages,
    Limit,
    MailAddress,
    Mailbox,
    Origin,
    RedisAddress,
    WebAddress,
    is_loopback,
    show,
    split,
)

_SHORTEST_PUBLIC_KEY = 32
_MAKE_A_KEY = "Make one: python3 -c 'import secrets; print(secrets.token_urlsafe(48))'"
_STAYS_HERE = "a demonstration stays on this machine; take WFR_DEMO away, or set"
_OURS_BUT_NOT_SETTINGS = frozenset({"WFR_CHROMIUM"})


class ConfigError(RuntimeError):
    """A setting is missing or cannot be used. The message names the setting and says what to set."""


def _setting(default: Any, name: str, meaning: str, **checks: Any) -> Any:
    return Field(default, validation_alias=name, description=meaning, **checks)


@dataclass(frozen=True)
class Described:
    """One setting as `wfr config` shows it: environment name, meaning, masked value, whether it was set."""

    name: str
    meaning: str
    value: str
    is_set: bool


THREADS_OF_THE_ONLY_ONE = 16
# Threads of one process that all want the processor cost each other time: 4 make a fifth more pledges than 16.
THREADS_OF_ONE_AMONG_SEVERAL = 4


class Settings(BaseSettings):
    """All settings. Make one with `Settings.load()`; nothing else reads the environment."""

    model_config = SettingsConfigDict(frozen=True, extra="forbid", validate_by_name=True, hide_input_in_errors=True)

    port: int = _setting(8000, "PORT", "Port to listen on.", ge=0, le=65535)
    bind: Host = _setting("127.0.0.1", "WFR_BIND", "Address to listen on; 0.0.0.0 for every address of this machine.")
    public_url: Origin | None = _setting(
        None,
        "WFR_BASE_URL",
        "Where visitors find the site; printed in QR codes. Default: http://127.0.0.1:PORT.",
    )
    data: Folder = Field(
        default_factory=paths.default_data,
        validation_alias="WFR_DATA",
        description="Folder of the embedded database, the outbox, uploads and the made secret key.",
    )
    demo: bool = _setting(
        False, "WFR_DEMO", "Load the demonstration into an empty database at start. Works on loopback only."
    )

    database: Database | None = _setting(
        None,
        "DATABASE_URL",
        "PostgreSQL address, postgresql://user:password@host/name. Default: SQLite in WFR_DATA.",
    )
    redis_url: RedisAddress | None = _setting(
        None,
        "REDIS_URL",
        "Redis for rate limits and cache shared by all processes. Default: each process its own.",
    )
    mail_url: MailAddress | None = _setting(
        None,
        "MAIL_URL",
        "Server that mail leaves through: smtp://, starttls:// or smtps://. Default: the outbox folder in WFR_DATA.",
    )
    mail_sender: Mailbox | None = _setting(
        None, "WFR_MAIL_FROM", "Address that mail comes from. Default: no-reply at the host of WFR_BASE_URL."
    )

    mail_rate: float = _setting(
        0, "WFR_MAIL_RATE", "Messages a second that mailings may send in all; 0 for as many as the server takes.", ge=0
    )
    mail_domain_rate: float = _setting(
        0, "WFR_MAIL_DOMAIN_RATE", "Messages a second to one domain, such as gmail.com; 0 for no limit.", ge=0
    )
    mail_bounces: int = _setting(
        3, "WFR_MAIL_BOUNCES", "Mailings that come back from an address before nothing is sent to it again.", ge=1
    )
    bounce_address: Mailbox | None = _setting(
        None,
        "WFR_BOUNCE_ADDRESS",
        "Address that mailings come back to; +… is put before its @. Default: WFR_MAIL_FROM, as it is.",
    )
    bounce_folder: Folder | None = _setting(
        None, "WFR_BOUNCE_FOLDER", "Maildir folder that what comes back is read from. Default: none is read."
    )

    secret_key: SecretStr | None = _setting(
        None, "SECRET_KEY", "Signs tickets. Default: made once in WFR_DATA; required with DATABASE_URL."
    )
    secret_key_fallbacks: Annotated[list[SecretStr], BeforeValidator(split)] = _setting(
        [], "SECRET_KEY_FALLBACKS", "Former secret keys that are still accepted, separated by commas."
    )
    suppression_secret: SecretStr | None = _setting(
        None,
        "WFR_SUPPRESSION_KEY",
        "Hides the addresses that have left; never change it. Default: made once in WFR_DATA.",
    )
    metrics_token: SecretStr | None = _setting(
        None, "WFR_METRICS_TOKEN", "Bearer token that opens /metrics from elsewhere. Default: loopback only."
    )

    threads: int = _setting(
        THREADS_OF_THE_ONLY_ONE,
        "WFR_THREADS",
        "Threads of a web process; 4 where WEB_CONCURRENCY starts several.",
        ge=2,
        le=256,
    )
    processes: int = _setting(1, "WEB_CONCURRENCY", "Web processes that Procfile's web starts.", ge=1, le=64)
    streams: int = _setting(
        4,
        "WFR_STREAMS",
        "Live streams open at once in a web process; others poll. At most half of WFR_THREADS.",
        ge=0,
    )
    stream_url: WebAddress | None = _setting(
        None,
        "WFR_STREAM_URL",
        "Address of the separate stream process. Default: the web process streams, capped.",
    )
    stream_connections: int = _setting(
        5000, "WFR_STREAM_CONNECTIONS", "Live streams that the separate stream process holds at once.", ge=1
    )
    trusted_proxies: int = _setting(
        0,
        "TRUSTED_PROXIES",
        "Proxies in front whose X-Forwarded-* headers are believed, exactly.",
        ge=0,
        le=8,
    )
    max_request_bytes: int = _setting(
        262_144, "WFR_MAX_REQUEST_BYTES", "Largest request body in bytes; larger ones get 413.", ge=16_384
    )
    log_format: Literal["text", "json"] = _setting("text", "WFR_LOG", "How the log is written: text or json.")

    ratelimit_enabled: bool = _setting(
        True, "RATELIMIT_ENABLED", "Limits per address. Off for load tests only, on loopback only."
    )
    limit_pledges: Limit = _setting("60 per hour", "WFR_LIMIT_PLEDGES", "Pledges from one address with proof of work.")
    limit_pledges_without_proof: Limit = _setting(
        "6 per hour",
        "WFR_LIMIT_PLEDGES_WITHOUT_PROOF",
        "Pledges from one address without proof of work (no JavaScript).",
    )
    limit_prints: Limit = _setting(
        "240 per hour", "WFR_LIMIT_PRINTS", "Letters, cards and sheets made for one address."
    )
    limit_packs: Limit = _setting("30 per hour", "WFR_LIMIT_PACKS", "Class packs made for one address.")
    limit_starts: Limit = _setting("20 per hour", "WFR_LIMIT_STARTS", "Drives started and links sent for one address.")
    limit_previews: Limit = _setting(
        "600 per minute", "WFR_LIMIT_PREVIEWS", "Previews of a message for one address, live while typing."
    )
    limit_reports: Limit = _setting("120 per hour", "WFR_LIMIT_REPORTS", """"I've posted it" from one address.""")
    limit_joins: Limit = _setting(
        "900 per 10 minutes", "WFR_LIMIT_JOINS", "Letters and cards pledged with one drive's code; as many printed."
    )
    limit_join_previews: Limit = _setting(
        "1800 per minute", "WFR_LIMIT_JOIN_PREVIEWS", "Previews of a message with one drive's code, live while typing."
    )
    limit_wrong_codes: Limit = _setting(
        "120 per hour", "WFR_LIMIT_WRONG_CODES", "Wrong join codes from one address, so that none can be guessed."
    )
    limit_members: Limit = _setting(
        "30 per hour", "WFR_LIMIT_MEMBERS", "Forms of the Urgent Action Network sent from one address."
    )
    limit_visits: Limit = _setting(
        "12 per hour", "WFR_LIMIT_VISITS", "Visits of one share link that are counted from one address; all are let in."
    )
    ticket_hours: int = _setting(24, "WFR_TICKET_HOURS", "Hours a form may stay open before its ticket expires.", ge=1)
    proof_cost: int = _setting(1000, "WFR_PROOF_COST", "Proof of work: PBKDF2 iterations of each trial.", ge=1)

    embed_sites: str = _setting(
        "*", "WFR_EMBED_SITES", "Sites that may embed a case, separated by spaces; * for every one."
    )
    x_client_id: str | None = _setting(
        None, "WFR_X_CLIENT_ID", "Client id of the app at X. Default: posts only say so."
    )
    x_client_secret: SecretStr | None = _setting(
        None, "WFR_X_CLIENT_SECRET", "Client secret of the app at X; a public client has none."
    )
    x_budget: Decimal = _setting(
        Decimal(20), "WFR_X_BUDGET", "US dollars that posts on X may cost in a calendar month (UTC).", ge=0
    )
    x_price_post: Decimal = _setting(Decimal("0.015"), "WFR_X_PRICE_POST", "US dollars X takes for a post.", ge=0)
    x_price_post_with_link: Decimal = _setting(
        Decimal("0.2"), "WFR_X_PRICE_POST_WITH_LINK", "US dollars X takes for a post with a link in it.", ge=0
    )
    x_price_media: Decimal = _setting(
        Decimal("0.005"), "WFR_X_PRICE_MEDIA", "US dollars X takes for a picture's description.", ge=0
    )
    x_price_read: Decimal = _setting(
        Decimal("0.005"), "WFR_X_PRICE_READ", "US dollars X takes for each post that is read.", ge=0
    )

    organisation: str = _setting("", "WFR_ORGANISATION", "Name of the organisation that runs this site.")
    site_name: str = _setting("Write for Rights", "WFR_SITE_NAME", "Name of the site in titles and its header.")
    logo: str | None = _setting(None, "WFR_LOGO", "Logo: a file below WFR_DATA/uploads, such as logo.svg.")
    privacy_contact: str | None = _setting(
        None, "WFR_PRIVACY_CONTACT", "Whom people ask about their data: an e-mail address or a web address."
    )
    legal_notice: str | None = _setting(None, "WFR_LEGAL_NOTICE", "Who is responsible for this site, in one paragraph.")
    languages: Languages = _setting(
        ["en"], "WFR_LANGUAGES", "Languages of the site, English first, separated by commas."
    )
    colour_signal: Colour | None = _setting(None, "WFR_COLOUR_SIGNAL", "Field for black text. Default: #ffe600.")
    colour_ink: Colour | None = _setting(None, "WFR_COLOUR_INK", "Text. Default: #111111.")
    colour_paper: Colour | None = _setting(None, "WFR_COLOUR_PAPER", "Background. Default: #fffdf3.")
    colour_accent_red: Colour | None = _setting(None, "WFR_COLOUR_ACCENT_RED", "Airmail red. Default: #c8102e.")
    colour_accent_blue: Colour | None = _setting(None, "WFR_COLOUR_ACCENT_BLUE", "Airmail blue. Default: #003f87.")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 -- the library's signature, also below
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take values from `load` alone, so that a test or a script never catches a stray variable."""
        return (init_settings,)

    @classmethod
    def load(cls, environ: Mapping[str, str] | None = None) -> Self:
        """Read the settings from `environ`, by default the process's own. An empty value means "not set".

        Raises `ConfigError` with one line for each setting that cannot be used.
        """
        source = os.environ if environ is None else environ
        given: dict[str, Any] = {name: source[name] for name in cls.names() if source.get(name, "") != ""}
        try:
            return cls(**given)
        except ValidationError as error:
            raise ConfigError("\n".join(_say(problem) for problem in error.errors())) from None

    @classmethod
    def names(cls) -> dict[str, FieldInfo]:
        """Return every environment name with its field, in the order of this file."""
        return {str(field.validation_alias): field for field in cls.model_fields.values()}

    @classmethod
    def strangers(cls, environ: Mapping[str, str] | None = None) -> dict[str, str | None]:
        """Return variables that start with WFR_ but are no setting, each with the setting it resembles."""
        known = list(cls.names())
        unknown = (
            name
            for name in (os.environ if environ is None else environ)
            if name.startswith("WFR_") and name not in known and name not in _OURS_BUT_NOT_SETTINGS
        )
        return {name: next(iter(difflib.get_close_matches(name, known, n=1)), None) for name in sorted(unknown)}

    @model_validator(mode="before")
    @classmethod
    def _fit_the_defaults(cls, values: Any) -> Any:
        """Choose threads for the number of processes, and streams for the number of threads, where they are not set."""
        if not isinstance(values, dict):
            return values
        fitted = dict(values)
        several = str(fitted.get("processes", fitted.get("WEB_CONCURRENCY", 1))) != "1"
        if not {"threads", "WFR_THREADS"} & set(fitted) and several:
            fitted["WFR_THREADS"] = THREADS_OF_ONE_AMONG_SEVERAL
        threads = fitted.get("threads", fitted.get("WFR_THREADS", THREADS_OF_THE_ONLY_ONE))
        if not {"streams", "WFR_STREAMS"} & set(fitted) and str(threads).isdecimal() and int(threads) < 8:
            fitted["WFR_STREAMS"] = int(threads) // 2
        return fitted

    @model_validator(mode="after")
    def _rules_across_settings(self) -> Self:
        problems = list(self._broken_rules())
        if problems:
            raise ValueError("\n".join(problems))
        return self

    def _broken_rules(self) -> Iterable[str]:
        if self.streams > self.threads // 2:
            yield f"WFR_STREAMS: set at most {self.threads // 2}, half of WFR_THREADS; pages need the rest."
        if self.database and not self.secret_key:
            yield f"SECRET_KEY: set a long random value; DATABASE_URL needs it. {_MAKE_A_KEY}"
        if self.is_public:
            yield from self._broken_public_rules()
        if self.bounce_address and not self._is_aligned(self.bounce_address):
            yield f"WFR_BOUNCE_ADDRESS: set an address of {self.mail_from.rpartition('@')[2]}, or of a host below it."
        if not self.ratelimit_enabled and (self.is_public or not is_loopback(self.bind)):
            yield "RATELIMIT_ENABLED: leave it on; off is for load tests with WFR_BIND=127.0.0.1 only."
        if self.demo and self.is_public:
            yield f"WFR_DEMO: {_STAYS_HERE} WFR_BASE_URL to a loopback address."
        if self.demo and not is_loopback(self.bind):
            yield f"WFR_DEMO: {_STAYS_HERE} WFR_BIND=127.0.0.1."

    def _broken_public_rules(self) -> Iterable[str]:
        if not self.mail_url:
            yield (
                "MAIL_URL: set the server that mail leaves through, such as smtp://user:password@host:587; "
                "a public WFR_BASE_URL needs it."
            )
        if not self.secret_key:
            yield f"SECRET_KEY: set a long random value; a public WFR_BASE_URL needs it. {_MAKE_A_KEY}"
        elif len(self.secret_key.get_secret_value()) < _SHORTEST_PUBLIC_KEY:
            yield f"SECRET_KEY: set at least {_SHORTEST_PUBLIC_KEY} characters. {_MAKE_A_KEY}"
        if not self.uses_sqlite and not self.suppression_secret:
            yield f"WFR_SUPPRESSION_KEY: set a long random value, once and for all. {_MAKE_A_KEY}"
        if not self.privacy_contact:
            yield "WFR_PRIVACY_CONTACT: set whom people ask about their data; a public site needs it."

    @property
    def base_url(self) -> str:
        """Where visitors find the site, without a slash at the end."""
        return self.public_url or f"http://127.0.0.1:{self.port}"

    @property
    def mail_from(self) -> str:
        """The address that mail comes from."""
        host = urlsplit(self.base_url).hostname or ""
        return self.mail_sender or f"no-reply@{'localhost' if is_loopback(host) else host}"

    def _is_aligned(self, address: str) -> bool:
        """Say whether an address is of the sender's domain, or of a host below it, as DMARC wants it."""
        ours, theirs = (each.rpartition("@")[2].lower() for each in (self.mail_from, address))
        return theirs == ours or theirs.endswith(f".{ours}")

    @property
    def is_public(self) -> bool:
        """True when `WFR_BASE_URL` names a host that others can reach."""
        return self.public_url is not None and not is_loopback(urlsplit(self.public_url).hostname or "")

    @property
    def is_reachable(self) -> bool:
        """True when others than this machine can reach the site, by its address or by its public name."""
        return self.is_public or not is_loopback(self.bind)

    @property
    def secure_cookies(self) -> bool:
        """True unless the site is plain HTTP and for this machine alone: then cookies are not marked Secure."""
        return self.base_url.startswith("https:") or self.is_reachable

    @property
    def database_url(self) -> str:
        """The database as SQLAlchemy wants it."""
        return self.database or URL.create("sqlite", database=str(self.data / "wfr.db")).render_as_string()

    @property
    def uses_sqlite(self) -> bool:
        """True when the database is an SQLite file."""
        return self.database_url.startswith("sqlite")

    @property
    def jobs_file(self) -> Path:
        """The queue's own SQLite file, used when there is no `DATABASE_URL`."""
        return self.data / "jobs.db"

    @property
    def uploads(self) -> Path:
        """Folder of photographs and the logo."""
        return self.data / "uploads"

    @property
    def outbox(self) -> Path:
        """Folder where mail is laid when there is no `MAIL_URL`."""
        return self.data / "outbox"

    @property
    def ratelimit_storage(self) -> str:
        """Where rate limits are counted, as flask-limiter wants it."""
        return self.redis_url or "memory://"

    @property
    def colours(self) -> dict[str, str]:
        """The colour tokens that differ from `tokens.css`, by the token's name: `{"signal": "#ffe600"}`."""
        chosen = {
            name.removeprefix("colour_").replace("_", "-"): getattr(self, name)
            for name in type(self).model_fields
            if name.startswith("colour_")
        }
        return {token: value for token, value in chosen.items() if value}

    def key(self, purpose: str) -> bytes:
        """Return the 32-byte key for one purpose, such as `"ticket"`; see `derive_key`."""
        return derive_key(self._master_key(), purpose)

    def keys(self, purpose: str) -> list[bytes]:
        """Return the keys to check a signature with, newest first: the present one, then the fallbacks'."""
        former = (derive_key(old.get_secret_value().encode(), purpose) for old in self.secret_key_fallbacks)
        return [self.key(purpose), *former]

    @property
    def suppression_key(self) -> bytes:
        """The 32-byte key of the suppression list, which does not change with the secret key."""
        try:
            secret = self.suppression_secret
            given = secret.get_secret_value().encode() if secret else made_secret(self.data / "suppression_key")
        except (OSError, ValueError) as problem:
            raise ConfigError(f"WFR_SUPPRESSION_KEY: {problem}, or set WFR_SUPPRESSION_KEY.") from problem
        return derive_key(given, "suppression")

    def _master_key(self) -> bytes:
        if self.secret_key:
            return self.secret_key.get_secret_value().encode()
        try:
            return made_secret(self.data / "secret_key")
        except (OSError, ValueError) as problem:
            raise ConfigError(f"SECRET_KEY: {problem}, or set SECRET_KEY or another WFR_DATA.") from problem

    def describe(self) -> list[Described]:
        """Return every setting with its meaning and its present value, secrets and passwords masked."""
        made = {"public_url": self.base_url, "database": self.database_url, "mail_sender": self.mail_from}
        return [
            Described(
                name=str(field.validation_alias),
                meaning=field.description or "",
                value=show(getattr(self, attribute) or made.get(attribute, getattr(self, attribute))),
                is_set=attribute in self.model_fields_set,
            )
            for attribute, field in type(self).model_fields.items()
        ]


def _say(problem: Any) -> str:
    what = problem["msg"].removeprefix("Value error, ")
    if not problem["loc"]:
        return str(what)
    name = str(problem["loc"][0])
    meaning = Settings.names()[name].description
    return f"{name}: {what[0].lower()}{what[1:]}. It means: {meaning}"
