"""A checkout and an installed wheel both find the files that are not Python."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from wfr import paths

ROOT = Path(__file__).resolve().parent.parent

# Run with the wheel in front of everything else: what it prints is what the installed program sees.
LOOK = """
import json
from wfr import create_app, paths, schema
from wfr.config import Settings
settings = Settings.load()
app = create_app(settings)
schema.upgrade(app, settings.data)
client = app.test_client()
print(json.dumps({
    "installed": paths.INSTALLED,
    "root": str(paths.ROOT),
    "data": str(settings.data),
    "status": {path: client.get(path).status_code for path in ("/", "/static/css/base.css", "/static/vendor/sse.js")},
    "missing": [p.name for p in (paths.TEMPLATES, paths.STATIC, paths.MIGRATIONS, paths.DEMO) if not p.is_dir()],
    "print_fonts": len(list(paths.VENDOR.glob("print-fonts/*.ttf"))),
}))
"""


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel, built from this checkout without fetching anything."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        (sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)),
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="session")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that the wheel has been installed into."""
    folder = tmp_path_factory.mktemp("installed")
    install = ("-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", str(folder), str(wheel))
    subprocess.run((sys.executable, *install), check=True, capture_output=True)
    return folder


def run(command: tuple[str, ...], cwd: Path, **more: str) -> str:
    """Run a command in a folder of its own and return what it printed."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(cwd), **more}
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_checkout_finds_its_files_beside_the_package() -> None:
    assert not paths.INSTALLED
    assert paths.ROOT == ROOT
    assert paths.default_data() == ROOT / "instance"
    for folder in (paths.TEMPLATES, paths.STATIC, paths.MIGRATIONS, paths.TRANSLATIONS, paths.DEMO, paths.VENDOR):
        assert folder.is_dir()


def test_an_installed_wheel_finds_its_files_inside_the_package(installed: Path, tmp_path: Path) -> None:
    seen = json.loads(run((sys.executable, "-c", LOOK), tmp_path, PYTHONPATH=str(installed)))
    assert seen["installed"] is True
    assert seen["root"] == str(installed / "wfr")
    assert seen["data"] == str(tmp_path / "instance")
    assert set(seen["status"].values()) == {200}
    assert seen["missing"] == []
    assert seen["print_fonts"] > 0


def test_an_installed_wheel_has_the_console_script_and_the_demonstration(installed: Path, tmp_path: Path) -> None:
    wfr = (sys.executable, str(installed / "bin" / "wfr"))
    run((*wfr, "db", "upgrade"), tmp_path, PYTHONPATH=str(installed))
    run((*wfr, "demo", "load", "--empty"), tmp_path, PYTHONPATH=str(installed))
    verified = run((*wfr, "tally", "verify"), tmp_path, PYTHONPATH=str(installed))
    assert verified.splitlines()[-1] == "drift 0"
    assert (tmp_path / "instance" / "wfr.db").is_file()


def test_a_wheel_holds_what_is_needed_and_nothing_of_this_machine(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    packages = {name.split("/")[0] for name in names}
    assert packages == {"wfr", next(name for name in packages if name.endswith(".dist-info"))}
    assert not [name for name in names if "instance/" in name or "__pycache__" in name or name.endswith(".db")]
    assert any(name.startswith("wfr/static/vendor/licences/") for name in names)


def test_a_checkout_installed_in_place_is_not_copied() -> None:
    """A stale copy of a template in site-packages would be a riddle."""
    site = next(Path(path) for path in sys.path if path.endswith("site-packages"))
    assert not (site / "wfr").exists()
