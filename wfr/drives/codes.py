"""Join codes: six letters that can be read from the back row and typed on any keyboard."""

from __future__ import annotations

import re
import secrets

from sqlalchemy import select, update

from wfr.drives.models import Drive, DriveCode
from wfr.errors import NoSuchThing
from wfr.extensions import AnySession, utc_now

LETTERS = "CDFHJKLMNPQRTVWXY"
"""No vowels, so that no code is a word, and no letter that looks like another one or like a figure."""
LENGTH = 6
CODE = re.compile(f"[{LETTERS}]{{{LENGTH}}}")


def clean_code(typed: str) -> str:
    """Return the code as it was given, however it was typed; raises `NoSuchThing` where it cannot be one."""
    letters = re.sub(r"[\s.-]", "", typed).upper()
    if not CODE.fullmatch(letters):
        raise NoSuchThing("code")
    return letters


def add_code(session: AnySession, drive: Drive) -> str:
    """Give `drive` a code, inside the caller's transaction, and retire those it had."""
    session.execute(
        update(DriveCode)
        .where(DriveCode.drive_id == drive.id, DriveCode.retired_at.is_(None))
        .values(retired_at=utc_now())
    )
    while True:
        code = "".join(secrets.choice(LETTERS) for _ in range(LENGTH))
        if session.get(DriveCode, code) is None:
            session.add(DriveCode(code=code, drive_id=drive.id))
            session.flush()
            return code


def code_of(session: AnySession, drive: Drive) -> str | None:
    """Return the drive's present code, or None before it is confirmed."""
    return session.scalar(select(DriveCode.code).where(DriveCode.drive_id == drive.id, DriveCode.retired_at.is_(None)))
