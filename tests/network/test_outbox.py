"""The outbox at the desk: what was laid in the folder can be read there by coordinators, and nothing else can."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask

from tests.acting import text_of
from tests.network.mailings import freeze, make_issue, make_mailing, make_urgent_case, raw_message
from tests.staffing import Colleague, colleague
from wfr import mail
from wfr.extensions import settings
from wfr.network.outbox_queries import A_PAGE
from wfr.staff.models import Role

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def cora(app: Flask) -> Colleague:
    """A coordinator."""
    return colleague(app, "cora", Role.COORDINATOR)


@pytest.fixture
def laid(app: Flask) -> str:
    """The name of an Urgent Action's mail in the folder."""
    with app.app_context():
        mailing = make_mailing(make_issue(make_urgent_case()))
        freeze(mailing)
        folder = settings().outbox
        folder.mkdir(exist_ok=True)
        mail.lay_in_outbox(folder, "ines@example.org", raw_message(mailing))
        return newest(folder)


def newest(folder: Path) -> str:
    """Return the name of the newest mail."""
    return max(file.name for file in folder.glob("*.eml"))


def test_a_mail_is_read_in_its_text_and_its_html(cora: Colleague, laid: str) -> None:
    listed = cora.get("/desk/outbox")
    assert "Nothing here has left this machine." in text_of(listed) and f"/desk/outbox/{laid}" in listed.text
    page = cora.get(f"/desk/outbox/{laid}")
    words = text_of(page)
    for part in ("UA 12/26 Togo: Ada Vale", "ines@example.org", "Set her free.", "List-Unsubscribe-Post", "Message-ID"):
        assert part in words
    assert f'src="/desk/outbox/{laid}/html"' in page.text and ' sandbox tabindex="-1">' in page.text
    assert "frame-src 'self'" in page.headers["Content-Security-Policy"]
    assert page.headers["Cache-Control"] == "no-store"


def test_the_html_of_a_mail_may_do_nothing(cora: Colleague, laid: str) -> None:
    frame = cora.get(f"/desk/outbox/{laid}/html")
    assert "<h1" in frame.text and "Ada Vale" in frame.text
    policy = frame.headers["Content-Security-Policy"].split("; ")
    assert policy == ["sandbox", "default-src 'none'", "style-src 'unsafe-inline'", "frame-ancestors 'self'"]
    assert frame.headers["X-Frame-Options"] == "SAMEORIGIN"


def test_a_mail_can_be_taken_away_as_a_file(app: Flask, cora: Colleague, laid: str) -> None:
    answer = cora.get(f"/desk/outbox/{laid}/file")
    with app.app_context():
        assert answer.data == (settings().outbox / laid).read_bytes()
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{laid}"'
    assert answer.mimetype == "message/rfc822"


def test_a_mail_without_html_shows_its_text(app: Flask, cora: Colleague) -> None:
    with app.app_context():
        mail.send(to="ines@example.org", subject="Confirm <b>it</b>", text="Hello,\n\n<script>here</script>\n")
        name = newest(settings().outbox)
    page = cora.get(f"/desk/outbox/{name}")
    assert "&lt;script&gt;here" in page.text and "<iframe" not in page.text
    assert cora.get(f"/desk/outbox/{name}/html").status_code == 404


def test_only_mails_in_the_folder_are_served(app: Flask, cora: Colleague, laid: str) -> None:
    with app.app_context():
        folder = settings().outbox
        (settings().data / "secret.eml").write_text("Subject: secret\n\nsecret", encoding="utf-8")
        (folder / "linked.eml").symlink_to(settings().data / "secret.eml")
        (folder / ".draft.eml").write_text("Subject: draft\n\ndraft", encoding="utf-8")
        (folder / "folder.eml").mkdir()
    for name in (
        "..%2Fsecret.eml",
        "../secret.eml",
        "..%5Csecret.eml",
        "%2e%2e%2fsecret.eml",
        "linked.eml",
        ".draft.eml",
        "folder.eml",
        "none.eml",
        f"{laid}%00.eml",
        f"{laid}%0A",
        "secret_key",
    ):
        for end in ("", "/html", "/file"):
            answer = cora.get(f"/desk/outbox/{name}{end}")
            assert answer.status_code == 404 and b"secret" not in answer.data.replace(b"secret_key", b""), name + end
    assert "secret" not in text_of(cora.get("/desk/outbox"))


def test_the_list_is_paged_and_the_newest_stands_first(app: Flask, cora: Colleague) -> None:
    with app.app_context():
        for number in range(A_PAGE + 3):
            mail.send(to=f"reader{number}@example.org", subject=f"Mail {number:03}", text="Hello\n")
    first = cora.get("/desk/outbox")
    assert first.text.count("/desk/outbox/2") == A_PAGE and f"Mail {A_PAGE + 2:03}" in first.text
    assert f"{A_PAGE + 3} mails in the folder" in text_of(first)
    older = first.text.partition('href="/desk/outbox?before=')[2].partition('"')[0]
    second = cora.get(f"/desk/outbox?before={older}")
    assert [f"Mail {number:03}" in second.text for number in range(4)] == [True, True, True, False]
    assert "?before=" not in second.text


def test_the_outbox_is_the_coordinators_alone(app: Flask, laid: str) -> None:
    rhea = colleague(app, "rhea", Role.REVIEWER)
    for path in ("/desk/outbox", f"/desk/outbox/{laid}", f"/desk/outbox/{laid}/html", f"/desk/outbox/{laid}/file"):
        assert rhea.get(path).status_code == 403
    assert "/desk/outbox" not in rhea.get("/desk/me").text


def test_an_empty_outbox_says_so_and_with_a_server_mail_leaves(app: Flask, cora: Colleague) -> None:
    assert "No mail lies here." in text_of(cora.get("/desk/outbox"))
    app.extensions["wfr.settings"] = app.extensions["wfr.settings"].model_copy(update={"mail_url": "smtp://localhost"})
    assert "Mail leaves by the mail server now." in text_of(cora.get("/desk/outbox"))
