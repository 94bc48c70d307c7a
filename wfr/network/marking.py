"""Marks: before a message is handed over its delivery says so, in a commit that waits for no disk.

One statement marks the message before as sent and the next as being sent, after a last look at whether it still may
be. A worker that is killed leaves at most one message of which nobody knows, and that one is repeated.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from wfr.extensions import db, utc_now, write_gate

_STEP = """
UPDATE deliveries SET
  state = CASE WHEN id = :before THEN 'sent' ELSE 'sending' END,
  claim = CASE WHEN id = :before THEN NULL ELSE claim END,
  code = CASE WHEN id = :before THEN 250 ELSE code END,
  settled_at = CASE WHEN id = :before THEN :now ELSE settled_at END
WHERE id IN (:before, :next) AND (
  (id = :before AND claim = :claim AND state = 'sending')
  OR (
    id = :next AND claim = :claim AND state = 'claimed'
    AND EXISTS (SELECT 1 FROM mailings WHERE mailings.id = :mailing AND mailings.state = 'running')
    AND NOT EXISTS (
      SELECT 1 FROM cases WHERE cases.id IN (/*cases*/) AND (
        cases.status IN ('withdrawn', 'paused', 'draft') OR cases.consent_ends < :day OR NOT cases.feeds
        OR (:asks AND cases.id NOT IN (/*told*/) AND (cases.status <> 'published' OR cases.deadline < :day))
      )
    )
    AND EXISTS (
      SELECT 1 FROM members WHERE members.id = deliveries.member_id AND members.left_at IS NULL /*lock*/
    )
  )
)
RETURNING id
"""
_SENT = """
UPDATE deliveries SET state = 'sent', claim = NULL, code = 250, settled_at = :now
WHERE id = :before AND claim = :claim AND state = 'sending'
"""
NOBODY = 0
"""No delivery has this id."""


@dataclass(frozen=True, slots=True)
class MailingNow:
    """What the last look needs of a mailing: whether it asks readers to act, its cases, and the day it is.

    For the cases that it has `only_told` of it asks nobody to act.
    """

    id: int
    asks: bool
    cases: tuple[int, ...]
    day: date
    only_told: tuple[int, ...] = ()


class Marker:
    """Makes one worker's marks, on a connection of its own."""

    def __init__(self, claim: str) -> None:
        self._claim = claim
        self._holder = db.engine.connect()
        self._sqlite = self._holder.dialect.name == "sqlite"
        link: Any = self._holder.connection.driver_connection
        # Taken out of the pool: it commits otherwise than others do, and must not come back to them.
        self._holder.detach()
        if not self._sqlite:
            link.autocommit = True
        link.execute("PRAGMA synchronous=NORMAL" if self._sqlite else "SET synchronous_commit = off")
        self._cursor = link.cursor()
        self._steps: dict[tuple[tuple[int, ...], tuple[int, ...]], str] = {}
        self._sent = self._for_driver(_SENT)

    def step(self, mailing: MailingNow, *, before: int | None, following: int) -> bool:
        """Mark delivery `before` as sent and the `following` one as being sent; say whether that one may be sent.

        It may not if it is not this worker's any more, its reader has left, the mailing does not run, or one of its
        cases may not be told of now.
        """
        values = {
            "before": before or NOBODY,
            "next": following,
            "claim": self._claim,
            "mailing": mailing.id,
            "asks": mailing.asks,
            "day": mailing.day.isoformat(),
        }
        return (following,) in self._run(self._step_for(mailing), values, rows=True)

    def sent(self, before: int) -> None:
        """Mark a delivery as sent, where no other follows at once."""
        self._run(self._sent, {"before": before, "claim": self._claim}, rows=False)

    def close(self) -> None:
        """Close the connection."""
        self._cursor.close()
        self._holder.close()

    def _run(self, statement: str, values: dict[str, object], *, rows: bool) -> list[tuple[int]]:
        # As SQLAlchemy keeps it in SQLite; PostgreSQL reads it as well.
        values["now"] = utc_now().isoformat(sep=" ", timespec="microseconds")
        with write_gate():
            self._cursor.execute(statement, values)
            found: list[tuple[int]] = self._cursor.fetchall() if rows else []
        return found

    def _step_for(self, mailing: MailingNow) -> str:
        key = (mailing.cases, mailing.only_told)
        if key not in self._steps:
            statement = _STEP.replace("/*cases*/", _numbers(mailing.cases))
            self._steps[key] = self._for_driver(statement.replace("/*told*/", _numbers(mailing.only_told)))
        return self._steps[key]

    def _for_driver(self, statement: str) -> str:
        # Without the lock somebody could leave, and be answered, between the look and the mark.
        whole = statement.replace("/*lock*/", "" if self._sqlite else "FOR SHARE")
        return whole if self._sqlite else re.sub(r":(\w+)", r"%(\1)s", whole)


def _numbers(ids: Iterable[int]) -> str:
    return ", ".join(str(int(each)) for each in ids) or str(NOBODY)
