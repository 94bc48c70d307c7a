"""What every answer tells the browser it may do."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import make_settings
from tests.factories import Cast
from tests.linting import LintingClient
from wfr import create_app, paths
from wfr.config import ConfigError
from wfr.extensions import address_key

PAGES = ["/", "/nowhere", "/tally.json", "/healthz", "/cases/ada-vale/letter"]


@pytest.mark.parametrize("path", PAGES)
def test_nothing_is_loaded_from_elsewhere_and_nothing_runs_inline(
    visitor: LintingClient, season: Cast, path: str
) -> None:
    headers = visitor.get(path).headers
    policy = dict(part.strip().split(" ", 1) for part in headers["Content-Security-Policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == "'self'"
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert policy["frame-ancestors"] == "'none'"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"


def test_the_stream_process_is_the_only_other_host(tmp_path: Path) -> None:
    settings = make_settings(tmp_path, f"sqlite:///{tmp_path}/x.db", WFR_STREAM_URL="http://127.0.0.1:9999")
    policy = create_app(settings).test_client().get("/healthz").headers["Content-Security-Policy"]
    assert "connect-src 'self' http://127.0.0.1:9999" in policy


def test_https_is_for_good(tmp_path: Path) -> None:
    settings = make_settings(tmp_path, f"sqlite:///{tmp_path}/x.db", WFR_BASE_URL="https://localhost")
    assert "max-age=31536000" in create_app(settings).test_client().get("/healthz").headers["Strict-Transport-Security"]


def test_exactly_the_configured_proxies_are_believed(tmp_path: Path) -> None:
    def key(proxies: int, forwarded: str) -> str:
        settings = make_settings(tmp_path, f"sqlite:///{tmp_path}/x.db", TRUSTED_PROXIES=proxies)
        app = create_app(settings)
        seen: list[str] = []

        @app.get("/who")
        def who() -> str:
            seen.append(address_key())
            return ""

        app.test_client().get("/who", headers={"X-Forwarded-For": forwarded})
        return seen[0]

    assert key(0, "192.0.2.1") == key(0, "192.0.2.2")
    assert key(1, "192.0.2.1") != key(1, "192.0.2.2")
    assert key(1, "203.0.113.9, 192.0.2.1") == key(1, "192.0.2.1")


def test_static_files_are_kept_for_a_year_under_a_fingerprint(visitor: LintingClient, season: Cast) -> None:
    page = visitor.get("/").get_data(as_text=True)
    start = page.index("/static/css/")
    address = page[start : page.index('"', start)]
    answer = visitor.get(address)
    assert answer.status_code == 200 and "?v=" in address
    assert "max-age=31536000" in answer.headers["Cache-Control"]
    answer.close()


def test_the_organisations_logo_is_shown_from_its_uploads(tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path}/x.db"
    with pytest.raises(ConfigError, match="WFR_LOGO"):
        create_app(make_settings(tmp_path, database, WFR_LOGO="logo.svg"))
    (tmp_path / "uploads").mkdir()
    (tmp_path / "uploads" / "logo.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    visitor = create_app(make_settings(tmp_path, database, WFR_LOGO="logo.svg")).test_client()
    answer = visitor.get("/uploads/logo.svg")
    assert answer.status_code == 200
    assert answer.mimetype == "image/svg+xml"
    answer.close()
    assert b"/uploads/logo.svg" in visitor.get("/nowhere").data


def test_another_organisations_colours_come_from_its_settings(tmp_path: Path) -> None:
    settings = make_settings(tmp_path, f"sqlite:///{tmp_path}/x.db", WFR_COLOUR_SIGNAL="#00ff00")
    visitor = create_app(settings).test_client()
    assert b"--signal:#00ff00" in visitor.get("/colours.css").data
    assert "--signal:" in (paths.STATIC / "css" / "tokens.css").read_text(encoding="utf-8")
    assert b"/colours.css" in visitor.get("/nowhere").data
