"""Sealing: what the database keeps encrypted, with keys that are not in the database."""

from __future__ import annotations

import base64

from cryptography.fernet import Fernet, MultiFernet

from wfr.extensions import settings


def seal(purpose: str, words: str) -> str:
    """Return `words` encrypted with the key of `purpose`, as text."""
    return _cipher(purpose).encrypt(words.encode()).decode()


def unseal(purpose: str, sealed: str, *, seconds: int | None = None) -> str:
    """Return what `seal` sealed for the same purpose, with the present key or a former one that is still listed.

    Raises `cryptography.fernet.InvalidToken` for anything else, and for what was sealed more than `seconds` ago.
    """
    return _cipher(purpose).decrypt(sealed.encode(), ttl=seconds).decode()


def _cipher(purpose: str) -> MultiFernet:
    return MultiFernet([Fernet(base64.urlsafe_b64encode(key)) for key in settings().keys(purpose)])
