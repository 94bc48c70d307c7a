"""Where the files that are not Python lie: the one place that knows.

In a checkout `templates/`, `static/`, `migrations/`, `translations/` and `demo/` stand beside `wfr/`.
In an installed wheel the build has put them inside it (`force-include` in pyproject.toml).
"""

from __future__ import annotations

from pathlib import Path

PACKAGE = Path(__file__).resolve().parent

INSTALLED = (PACKAGE / "templates").is_dir()
"""True in an installed wheel, False in a checkout."""

ROOT = PACKAGE if INSTALLED else PACKAGE.parent
"""The folder that holds the five folders below."""

TEMPLATES = ROOT / "templates"
STATIC = ROOT / "static"
MIGRATIONS = ROOT / "migrations"
TRANSLATIONS = ROOT / "translations"
DEMO = ROOT / "demo"

VENDOR = STATIC / "vendor"
"""The browser's libraries and fonts, copied here from npm by `bin/vendor`."""


def default_data() -> Path:
    """Return the data folder for when `WFR_DATA` is not set.

    A checkout keeps its data beside its code, wherever `wfr` is started; an installed `wfr` keeps it in
    `instance/` of the folder it is started in, never among the installed files.
    """
    return (Path.cwd() if INSTALLED else ROOT) / "instance"
