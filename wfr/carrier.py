"""Carrying: many messages, made ready by others, over one connection to the mail server, or into the outbox."""

from __future__ import annotations

import re
import smtplib
import socket
from email import message_from_bytes, policy
from pathlib import Path
from typing import Protocol

from wfr.errors import DomainError
from wfr.extensions import settings
from wfr.mail import Server, lay_in_outbox, new_backend

ANSWER_SECONDS = 30
"""How long the server may take for one answer."""
TAKING_SECONDS = 600
"""How long it may take to answer the end of a message (RFC 5321, 4.5.3.2.6): who gives up sooner sends it twice."""
SERVICE_ENDS = 421
GO_AHEAD = 354
NO_SUCH_ADDRESS = 553
_NOBODY = (550, 551, NO_SUCH_ADDRESS)
# An address of ours or theirs that could end a command and begin another.
_UNFIT = re.compile(r"[^\x21-\x7e]|[<>]")
# RFC 3463: the address is wrong, or its mailbox disabled. 5.1.7 to 5.1.9 are about the sender and the hosts between.
_BLAMES_READER = re.compile(r"5\.(?:1\.(?:[0-46]|10)|2\.1)")
_STATUS = re.compile(r"(?<![\d.])[245]\.\d{1,3}\.\d{1,3}(?!\.?\d)")
_LINE_DEAD = (OSError, smtplib.SMTPException)


class NotTaken(DomainError):
    """The server refused one message, with a `code` of RFC 5321; others it may take.

    `permanent` says that it will never take this one, and `whom` that it is because there is no such reader.
    """

    def __init__(self, code: int, *, permanent: bool, whom: bool = False) -> None:
        super().__init__(f"answer {code}")
        self.code = code
        self.permanent = permanent
        self.whom = whom


class ServerAway(DomainError):
    """Nothing can be handed over now. `begun` says that a message was being handed over when the line went dead."""

    def __init__(self, why: str, *, begun: bool) -> None:
        super().__init__(why)
        self.begun = begun


class Carrier(Protocol):
    """What takes messages. It belongs to one thread."""

    def carry(self, *, sender: str, to: str, data: bytes) -> None:
        """Hand over one message (RFC 5322, lines ended by CRLF); raises `NotTaken`, `ServerAway`."""

    def close(self) -> None:
        """Let go of whatever is open. A next message may follow all the same."""


def blames_reader(status: str) -> bool:
    """Say whether an enhanced status code (RFC 3463) says that there is no such reader, and not any other trouble."""
    return _BLAMES_READER.fullmatch(status) is not None


def open_carrier() -> Carrier:
    """Return what takes the present app's messages; nothing is connected before the first one."""
    backend = new_backend()
    return ServerCarrier(backend) if isinstance(backend, Server) else OutboxCarrier(settings().outbox)


class OutboxCarrier:
    """Lays each message in the outbox folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def carry(self, *, sender: str, to: str, data: bytes) -> None:  # noqa: ARG002 -- a file has no envelope
        """Write a message to a file of its own; raises `ServerAway` where the folder takes none."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            lay_in_outbox(self._folder, to, data)
        except OSError as problem:
            raise ServerAway(type(problem).__name__, begun=False) from problem

    def close(self) -> None:
        """Do nothing: nothing is open."""


class ServerCarrier:
    """One connection to the mail server, opened when it is needed and kept from message to message.

    Where the server can (RFC 2920), sender, recipient and DATA go in one packet: two round trips a message, not four.
    """

    def __init__(self, backend: Server) -> None:
        self._backend = backend
        self._link: smtplib.SMTP | None = None
        self._unfinished = False

    def carry(self, *, sender: str, to: str, data: bytes) -> None:
        """Hand over one message; raises `NotTaken`, `ServerAway`."""
        if _UNFIT.search(sender) or _UNFIT.search(to):
            raise NotTaken(NO_SUCH_ADDRESS, permanent=True)
        kept = self._link is not None
        try:
            try:
                link, data = self._ask_to_take(sender, to, data)
            except (*_LINE_DEAD, ServerAway):
                if not kept:
                    raise
                # A server may hang up on who was silent for a while, or had sent enough; nothing of this message was
                # said before.
                self.close()
                link, data = self._ask_to_take(sender, to, data)
            self._hand_over(link, data)
        except _LINE_DEAD as problem:
            self.close()
            raise ServerAway(type(problem).__name__, begun=True) from problem

    def close(self) -> None:
        """Hang up."""
        if self._link is not None:
            self._link.close()
        self._link = self._backend.connection = None
        self._unfinished = False

    def _open(self) -> smtplib.SMTP:
        if self._link is not None:
            return self._link
        try:
            self._backend.open()
            link = self._backend.connection
            assert link is not None  # noqa: S101 -- what `open` is for
            link.ehlo_or_helo_if_needed()
            assert link.sock is not None  # noqa: S101 -- it is connected
            link.sock.settimeout(ANSWER_SECONDS)
            link.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except _LINE_DEAD as problem:
            # A connection of which only half was opened is none.
            if self._backend.connection is not None:
                self._backend.connection.close()
            self._backend.connection = None
            raise ServerAway(type(problem).__name__, begun=False) from problem
        self._link = link
        return link

    def _ask_to_take(self, sender: str, to: str, data: bytes) -> tuple[smtplib.SMTP, bytes]:
        """Get as far as the server's go-ahead for a message; return the connection, and the message as it may go."""
        link, eight = self._open(), ""
        if not data.isascii():
            if link.has_extn("8bitmime"):
                eight = " BODY=8BITMIME"
            else:
                data = _in_seven_bits(data)
        commands = ["RSET"] if self._unfinished else []
        commands += [f"MAIL FROM:<{sender}>{eight}", f"RCPT TO:<{to}>", "DATA"]
        refusal = self._say(link, commands)
        self._unfinished = refusal is not None
        if refusal:
            raise refusal
        return link, data

    def _say(self, link: smtplib.SMTP, commands: list[str]) -> NotTaken | None:
        """Give these commands, together where the server can; return the first refusal."""
        together = link.has_extn("pipelining")
        if together:
            link.send("".join(f"{command}\r\n" for command in commands))
        refusal: NotTaken | None = None
        for command in commands:
            if not together:
                link.putcmd(command)
            code, words = link.getreply()
            if refusal and command == "DATA" and code == GO_AHEAD:
                # With no one to take it, the end of an empty message is all it may be sent.
                link.send(".\r\n")
                link.getreply()
            refusal = refusal or self._refusal(command, code, words)
            if refusal and not together:
                break
        return refusal

    def _refusal(self, command: str, code: int, words: bytes) -> NotTaken | None:
        """Return what a server's answer to a command means, None where it goes on; raises `ServerAway`."""
        if code == SERVICE_ENDS:
            self.close()
            if command.startswith(("RSET", "MAIL")):
                raise ServerAway("421", begun=False)
            raise NotTaken(code, permanent=False)
        expected = GO_AHEAD if command == "DATA" else None
        if command == "RSET" or code == expected or (expected is None and code // 100 == 2):
            return None
        # Who says no to us says it to every message alike: that gets time to be mended.
        never = code // 100 == 5
        whom = never and command.startswith("RCPT") and _names_nobody(code, words)
        return NotTaken(code, permanent=whom or (never and command == "DATA"), whom=whom)

    def _hand_over(self, link: smtplib.SMTP, data: bytes) -> None:
        dotted = data.replace(b"\r\n.", b"\r\n..")
        start = b"." if data.startswith(b".") else b""
        end = b".\r\n" if data.endswith(b"\r\n") else b"\r\n.\r\n"
        link.send(start + dotted + end)
        assert link.sock is not None  # noqa: S101 -- it is connected
        link.sock.settimeout(TAKING_SECONDS)
        code, _ = link.getreply()
        link.sock.settimeout(ANSWER_SECONDS)
        if code // 100 == 2:
            return
        if code == SERVICE_ENDS:
            self.close()
        raise NotTaken(code, permanent=code // 100 == 5)


def _names_nobody(code: int, words: bytes) -> bool:
    """Say whether a refusal of the recipient says that there is no such one: by its status codes, or else by `code`."""
    statuses = _STATUS.findall(words.decode("ascii", "replace"))
    return all(map(blames_reader, statuses)) if statuses else code in _NOBODY


def _in_seven_bits(data: bytes) -> bytes:
    """Return a message for a server that takes no eighth bit (RFC 6152)."""
    plain = policy.SMTP.clone(cte_type="7bit")
    return message_from_bytes(data, policy=plain).as_bytes(policy=plain)
