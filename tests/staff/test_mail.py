"""Mail, spoken with a real server on this machine."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope, LoginPassword
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.conftest import close_database, make_settings
from tests.programs import free_port
from wfr import create_app, mail


class Postbox:
    """What a server was handed."""

    def __init__(self) -> None:
        self.taken: list[Envelope] = []

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Envelope) -> str:  # noqa: N802 -- the library's
        if b"refuse me" in (envelope.content or b""):
            return "554 no"
        self.taken.append(envelope)
        return "250 OK"

    def last(self) -> EmailMessage:
        content = self.taken[-1].content
        assert isinstance(content, bytes)
        message = message_from_bytes(content, policy=policy.default)
        assert isinstance(message, EmailMessage)
        return message


@pytest.fixture(params=["sqlite"])
def database_url(tmp_path: Path) -> str:
    """Mail needs no rows."""
    return f"sqlite:///{tmp_path}/none.db"


@pytest.fixture
def postbox() -> Postbox:
    """An empty postbox."""
    return Postbox()


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate for 127.0.0.1 and its key, in one file."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(datetime.now(UTC) - timedelta(days=1))
        .not_valid_after(datetime.now(UTC) + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=True)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path / "certificate.pem"
    file.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return file


def check(_server: Any, _session: Any, _envelope: Any, _mechanism: str, given: Any) -> AuthResult:
    right = isinstance(given, LoginPassword) and (given.login, given.password) == (b"desk@us", b"p@ss/word")
    return AuthResult(success=right, handled=False)


class Serving:
    """Starts servers that end with the test."""

    def __init__(self, postbox: Postbox) -> None:
        self.postbox = postbox
        self.running: list[Controller] = []

    def __call__(self, **how: Any) -> int:
        port = free_port()
        controller = Controller(self.postbox, hostname="127.0.0.1", port=port, server_hostname="localhost", **how)
        controller.start()
        self.running.append(controller)
        return port


@pytest.fixture
def serving(postbox: Postbox) -> Iterator[Serving]:
    """Return what starts a mail server and gives its port."""
    serving = Serving(postbox)
    yield serving
    for controller in serving.running:
        controller.stop()


def send(folder: Path, database_url: str, address: str, **words: Any) -> None:
    app = create_app(make_settings(folder, database_url, MAIL_URL=address))
    words = {"to": "rhea@example.org", "subject": "Grüße vom Pult", "text": "Zeile eins\n.\nZeile zwei ✓\n", **words}
    with app.app_context():
        mail.send(**words)
    close_database(app)


def test_a_mail_arrives_as_it_was_written(
    serving: Serving, postbox: Postbox, database_url: str, tmp_path: Path
) -> None:
    port = serving()
    send(tmp_path, database_url, f"smtp://127.0.0.1:{port}", html="<p>Zeile</p>")
    envelope, message = postbox.taken[0], postbox.last()
    assert (envelope.mail_from, envelope.rcpt_tos) == ("no-reply@localhost", ["rhea@example.org"])
    assert message["Subject"] == "Grüße vom Pult"
    assert message["From"] == "Write for Rights <no-reply@localhost>"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Message-ID"].endswith("@localhost>")
    body = message.get_body(("plain",))
    assert body
    assert body.get_content().replace("\r\n", "\n") == "Zeile eins\n.\nZeile zwei ✓\n"


@pytest.mark.parametrize(
    "words",
    [
        {"subject": "Hello\r\nBcc: everybody@example.org"},
        {"to": "rhea@example.org\r\nBcc: everybody@example.org"},
        {"to": "rhea@example.org, everybody@example.org"},
        {"to": "rhea@example.org\x00\u202e"},
    ],
)
def test_no_words_can_become_a_header_or_another_recipient(
    serving: Serving, postbox: Postbox, database_url: str, tmp_path: Path, words: dict[str, str]
) -> None:
    port = serving()
    try:
        send(tmp_path, database_url, f"smtp://127.0.0.1:{port}", **words)
    except mail.NotSent:
        assert postbox.taken == []
        return
    assert postbox.taken[0].rcpt_tos == ["rhea@example.org"]
    assert "Bcc" not in postbox.last()


def tls(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


@pytest.fixture(params=["smtp", "starttls", "smtps"])
def address(request: pytest.FixtureRequest, serving: Serving, certificate: Path) -> str:
    """The MAIL_URL of a server that speaks TLS and wants a password."""
    scheme = request.param
    how = {"ssl_context": tls(certificate)} if scheme == "smtps" else {"tls_context": tls(certificate)}
    port = serving(**how, authenticator=check, auth_require_tls=scheme != "smtps")
    return f"{scheme}://desk%40us:p%40ss%2Fword@127.0.0.1:{port}"


def test_a_password_travels_encrypted_to_a_server_that_proves_who_it_is(
    address: str, postbox: Postbox, certificate: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    database_url = f"sqlite:///{tmp_path}/none.db"
    with pytest.raises(mail.NotSent):
        send(tmp_path, database_url, address)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    send(tmp_path, database_url, address)
    assert len(postbox.taken) == 1
    with pytest.raises(mail.NotSent):
        send(tmp_path, database_url, address.replace("word", "wort"))


def test_a_password_never_travels_in_the_clear(
    serving: Serving, postbox: Postbox, database_url: str, tmp_path: Path
) -> None:
    port = serving(authenticator=check, auth_require_tls=False)
    with pytest.raises(mail.NotSent):
        send(tmp_path, database_url, f"smtp://desk%40us:p%40ss%2Fword@127.0.0.1:{port}")
    assert postbox.taken == []


def test_a_server_that_refuses_or_is_away_is_not_sent(
    serving: Serving, postbox: Postbox, database_url: str, tmp_path: Path
) -> None:
    port = serving()
    with pytest.raises(mail.NotSent):
        send(tmp_path, database_url, f"smtp://127.0.0.1:{port}", text="refuse me")
    serving.running.pop().stop()
    with pytest.raises(mail.NotSent):
        send(tmp_path, database_url, f"smtp://127.0.0.1:{port}")


def test_without_a_server_mail_lies_in_a_folder_for_its_owner_alone(database_url: str, tmp_path: Path) -> None:
    send(tmp_path, database_url, "")
    (file,) = (tmp_path / "outbox").glob("*.eml")
    assert file.stat().st_mode & 0o077 == 0
    assert "Zeile zwei ✓" in file.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("changes", "sender"),
    [
        ({}, "no-reply@localhost"),
        ({"WFR_BASE_URL": "http://[::1]:80"}, "no-reply@localhost"),
        ({"WFR_MAIL_FROM": "desk@example.org"}, "desk@example.org"),
    ],
)
def test_mail_comes_from_the_sites_own_host(
    database_url: str, tmp_path: Path, changes: dict[str, str], sender: str
) -> None:
    assert make_settings(tmp_path, database_url, **changes).mail_from == sender
