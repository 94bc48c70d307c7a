"""The types that settings are made of: each refuses what it cannot be, and says what to set instead."""

from __future__ import annotations

import ipaddress
import re
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from limits import parse_many
from pydantic import AfterValidator, BeforeValidator, SecretStr
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError


def is_loopback(host: str) -> bool:
    """Say whether `host` (a name or an address, without port) can be reached from this machine only."""
    name = host.strip("[]").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def mask_url(url: str) -> str:
    """Return `url` with its password, and any secret in its query, replaced by stars."""
    without_password = re.sub(r"(://[^:@/?]*:).*@", r"\1***@", url)
    return re.sub(
        r"([?&][^=&]*(?:pass|secret|token|key)[^=&]*=)[^&#]*", r"\1***", without_password, flags=re.IGNORECASE
    )


def show(value: Any) -> str:
    """Write a setting's value for people to read, without giving away what is secret."""
    if value in (None, "", []):
        return "-"
    if isinstance(value, SecretStr):
        return "(set, not shown)"
    if isinstance(value, list):
        return ", ".join(map(show, value))
    if isinstance(value, bool):
        return str(value).lower()
    return mask_url(str(value))


def split(value: Any) -> Any:
    """Split a text at commas and spaces; leave anything else to the next check."""
    return [part for part in re.split(r"[,\s]+", value) if part] if isinstance(value, str) else value


def _database(value: str) -> str:
    url = re.sub(r"^postgres(ql)?://", "postgresql+psycopg://", value)
    try:
        backend = make_url(url).get_backend_name()
    except ArgumentError:
        backend = ""
    if backend not in {"postgresql", "sqlite"}:
        raise ValueError("set an address such as postgresql://user:password@host/name, or leave it out for SQLite")
    return url


def _address_of(schemes: str, example: str) -> AfterValidator:
    allowed = schemes.split()

    def check(value: str) -> str:
        try:
            parts = urlsplit(value)
            parts.port  # noqa: B018 -- reading it is what checks it
        except ValueError as error:
            raise ValueError(f"set an address such as {example}") from error
        if parts.scheme not in allowed or not (parts.hostname or parts.scheme == "unix"):
            raise ValueError(f"set an address such as {example}")
        return value.rstrip("/")

    return AfterValidator(check)


def _origin(value: str) -> str:
    if urlsplit(value).path or urlsplit(value).query:
        raise ValueError("set the scheme and host only, such as https://write.example.org")
    return value


def _limit(value: str) -> str:
    try:
        parse_many(value)
    except ValueError as error:
        raise ValueError("set a limit such as '60 per hour' or '10 per minute; 100 per day'") from error
    return value


def _colour(value: str) -> str:
    if not re.fullmatch(r"#(?:[0-9a-fA-F]{3}|[0-9a-fA-F]{6})", value):
        raise ValueError("set a colour such as #ffe600")
    return value.lower()


def _languages(value: list[str]) -> list[str]:
    bad = [tag for tag in value if not re.fullmatch(r"[a-z]{2,3}(-[A-Za-z]{2,4})?", tag)]
    if bad or value[:1] != ["en"]:
        raise ValueError("set language tags separated by commas, English first, such as en,fr,ar")
    return list(dict.fromkeys(value))


def _mailbox(value: str) -> str:
    if not re.fullmatch(r"[^@\s<>,;:\"]+@[^@\s<>,;:\"]+", value) or not value.isascii():
        raise ValueError("set an e-mail address such as desk@example.org")
    return value


def _host(value: str) -> str:
    if not re.fullmatch(r"\[?[0-9A-Za-z.:-]+\]?", value) or "://" in value:
        raise ValueError("set an address to listen on without a port, such as 127.0.0.1 or 0.0.0.0")
    return value


def _folder(value: Path) -> Path:
    return value.expanduser().absolute()


Host = Annotated[str, AfterValidator(_host)]
Folder = Annotated[Path, AfterValidator(_folder)]
Database = Annotated[str, AfterValidator(_database)]
Limit = Annotated[str, AfterValidator(_limit)]
Colour = Annotated[str, AfterValidator(_colour)]
Languages = Annotated[list[str], BeforeValidator(split), AfterValidator(_languages)]
WebAddress = Annotated[str, _address_of("http https", "https://write.example.org")]
Origin = Annotated[WebAddress, AfterValidator(_origin)]
RedisAddress = Annotated[str, _address_of("redis rediss unix", "redis://localhost:6379/0")]
MailAddress = Annotated[str, _address_of("smtp starttls smtps", "smtp://user:password@host:587")]
Mailbox = Annotated[str, AfterValidator(_mailbox)]
