"""Keys: one for each purpose, all derived from one secret, which is made once where none is given."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import os
import secrets
from pathlib import Path


def derive_key(master: bytes, purpose: str) -> bytes:
    """Derive the key for `purpose` from the secret key: HKDF with SHA-256 (RFC 5869), one block of 32 bytes.

    Keys of different purposes tell nothing about each other, so a signature for one is worthless for another.
    """
    extracted = hmac.digest(b"wfr", master, hashlib.sha256)
    return hmac.digest(extracted, purpose.encode() + b"\x01", hashlib.sha256)


def made_secret(file: Path) -> bytes:
    """Return the secret in `file`, making it (mode 0600) when there is none.

    All that ask at once get the same one. Raises `ValueError` when the file is empty.
    """
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        draft = file.with_name(f".{file.name}.{os.getpid()}.{secrets.token_hex(4)}")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as handle:
            handle.write(secrets.token_urlsafe(48))
            handle.flush()
            os.fsync(handle.fileno())
        # A link, unlike a rename, fails where another process was quicker: then theirs is the secret.
        with contextlib.suppress(FileExistsError):
            os.link(draft, file)
        draft.unlink()
    secret = file.read_bytes().strip()
    if not secret:
        raise ValueError(f"{file} is empty; delete it to have a new key made")
    return secret
