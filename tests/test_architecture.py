"""The house stays as docs/architecture.md says: imports point down, checks pass, every route is meant to be there."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from flask import Flask

ROOT = Path(__file__).resolve().parent.parent

ROUTES = {
    "/": {"GET"},
    "/cases/<slug>": {"GET"},
    "/cases/<slug>/<any(letter, email, post, solidarity):kind>": {"GET", "POST"},
    "/cases/<slug>/<any(letter, email, post, solidarity):kind>/preview": {"POST"},
    "/cases/<slug>/already": {"GET", "POST"},
    "/cases/<slug>/share": {"GET", "POST"},
    "/cases/<slug>/letter/print": {"POST"},
    "/cases/<slug>/letter/fit": {"POST"},
    "/cases/<slug>/solidarity/print": {"POST"},
    "/cases/<slug>/email/message.eml": {"POST"},
    "/several": {"GET", "POST"},
    "/several/print": {"POST"},
    "/several/handwriting": {"POST"},
    "/join": {"GET"},
    "/join/<code>": {"GET"},
    "/join/<code>/task": {"GET"},
    "/join/<code>/<slug>/<any(letter, solidarity):kind>": {"GET", "POST"},
    "/join/<code>/<slug>/<any(letter, solidarity):kind>/preview": {"POST"},
    "/join/<code>/<slug>/<any(letter, solidarity):kind>/print": {"POST"},
    "/schools/<slug>/wall": {"GET"},
    "/schools/<slug>/wall/numbers": {"GET"},
    "/s/<code>": {"GET"},
    "/shared/<token>": {"GET"},
    "/posted": {"POST"},
    "/posted/<ticket>": {"GET"},
    "/your-sheet": {"GET"},
    "/schools": {"GET"},
    "/schools/start": {"GET", "POST"},
    "/schools/check-your-mail": {"GET"},
    "/schools/confirm/<token>": {"GET", "POST"},
    "/schools/links": {"GET", "POST"},
    "/schools/forgotten": {"GET"},
    "/schools/report/<token>": {"GET", "POST"},
    "/schools/manage/<token>": {"GET"},
    "/schools/manage/<token>/plan": {"GET", "POST"},
    "/schools/manage/<token>/<any(pause, resume):verb>": {"POST"},
    "/schools/manage/<token>/new-code": {"POST"},
    "/schools/manage/<token>/new-links": {"POST"},
    "/schools/manage/<token>/close": {"POST"},
    "/schools/manage/<token>/forget": {"POST"},
    "/schools/manage/<token>/report": {"POST"},
    "/schools/manage/<token>/slip.pdf": {"GET"},
    "/schools/manage/<token>/parcel-label.pdf": {"GET"},
    "/schools/manage/<token>/certificate.pdf": {"GET"},
    "/schools/manage/<token>/petition/<slug>.pdf": {"GET"},
    "/photographs/<photograph>/<int:width>.<any(webp, jpg):file_format>": {"GET"},
    "/cards/<slug>/<tag>/<digest>.png": {"GET"},
    "/schools/pack": {"GET"},
    "/schools/pack/<what>.pdf": {"GET"},
    "/schools/pack/letters": {"POST"},
    "/schools/pack/everything": {"POST"},
    "/schools/packs/<identity>": {"GET"},
    "/schools/packs/<identity>/file": {"GET"},
    "/stories": {"GET"},
    "/how-we-count": {"GET"},
    "/privacy": {"GET"},
    "/tally": {"GET"},
    "/tally.json": {"GET"},
    "/live": {"GET"},
    "/network": {"GET", "POST"},
    "/network/check-your-mail": {"GET"},
    "/network/after/<slug>/<any(letter, email, post, solidarity):kind>": {"POST"},
    "/network/confirm/<token>": {"GET", "POST"},
    "/network/leave/<token>": {"GET", "POST"},
    "/network/me/<token>": {"GET", "POST"},
    "/network/me/<token>/unfollow": {"POST"},
    "/network/me/<token>/export": {"GET"},
    "/network/me/<token>/new-links": {"POST"},
    "/urgent-actions": {"GET"},
    "/urgent-actions/archive": {"GET"},
    "/urgent-actions/<slug>": {"GET"},
    "/urgent-actions/<slug>.pdf": {"GET"},
    "/urgent-actions/<slug>/<int:ordinal>": {"GET"},
    "/urgent-actions.atom": {"GET"},
    "/feed.atom": {"GET"},
    "/calendar.ics": {"GET"},
    "/api/v1/season": {"GET"},
    "/api/v1/cases": {"GET"},
    "/api/v1/cases/<slug>": {"GET"},
    "/api/v1/cases/<slug>/tally": {"GET"},
    "/api/v1/tally": {"GET"},
    "/api/v1/updates": {"GET"},
    "/api/v1/openapi.json": {"GET"},
    # Every other address and method is refused in JSON.
    "/api/v1/": {"GET", "POST", "PUT", "PATCH", "DELETE", "TRACE"},
    "/api/v1/<path:rest>": {"GET", "POST", "PUT", "PATCH", "DELETE", "TRACE"},
    "/embed/<slug>": {"GET"},
    "/embed/<slug>/now": {"GET"},
    "/oembed": {"GET"},
    "/healthz": {"GET"},
    "/readyz": {"GET"},
    "/metrics": {"GET"},
}


def run(*command: str) -> None:
    """Run one of the checks; its own words are the failure."""
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}\n{done.stderr}"


@pytest.mark.parametrize(
    "command",
    [
        ("ruff", "check"),
        ("ruff", "format", "--check"),
        ("mypy",),
        ("djlint", "templates", "--lint", "--quiet"),
    ],
    ids=lambda command: " ".join(command[:2]),
)
def test_the_checks_pass(command: tuple[str, ...]) -> None:
    run(sys.executable, "-m", *command)


def test_imports_point_downwards_only() -> None:
    run(str(Path(sys.executable).parent / "lint-imports"))


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """Routes need no rows."""
    return f"sqlite:///{tmp_path}/none.db"


def test_every_route_is_meant_to_be_there(app: Flask) -> None:
    found: dict[str, set[str]] = {}
    for rule in app.url_map.iter_rules():
        if rule.rule.startswith("/desk"):
            continue  # tests/staff/test_policy.py
        found.setdefault(rule.rule, set()).update((rule.methods or set()) - {"HEAD", "OPTIONS"})
    assert found == ROUTES


def test_views_write_no_sql() -> None:
    for file in (*ROOT.glob("wfr/*/*views.py"), *ROOT.glob("wfr/*/*desk.py")):
        assert not re.search(r"\bselect\(|db\.session|sqlalchemy", file.read_text(encoding="utf-8")), file


def test_the_rooms_that_decide_do_not_know_flask() -> None:
    knowing = {
        "views.py",
        "desk.py",
        "policy.py",
        "number_views.py",
        "answering.py",
        "showing.py",
        "opening.py",
        "origins.py",
        "setup.py",
        "cli.py",
        "forms.py",
        "__init__.py",
    }
    for file in ROOT.glob("wfr/*/*.py"):
        if file.name not in knowing and not file.name.endswith(("_desk.py", "_views.py")):
            imports = re.findall(r"^(?:from|import) flask\b", file.read_text(encoding="utf-8"), re.MULTILINE)
            assert not imports, file


NOT_WORDS = (
    r"\{#.*?#\}|\{%-?\s*trans.*?endtrans\s*-?%\}|\{%.*?%\}|\{\{.*?\}\}|<!--.*?-->|<(script|style|svg|code)\b.*?</\1>"
)


def test_every_word_in_a_template_goes_through_gettext() -> None:
    for file in ROOT.glob("templates/**/*.html"):
        text = re.sub(NOT_WORDS, " ", file.read_text(encoding="utf-8"), flags=re.DOTALL)
        words = re.findall(r">([^<>]*[A-Za-z]{3,}[^<>]*)<", text)
        assert not [word for word in words if word.strip() not in ("", "wfr", "UTC") and "=" not in word], file
