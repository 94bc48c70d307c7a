"""The lock files pin everything by hash and name no place to fetch it from."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
LOCKS = sorted((ROOT / "requirements").glob("*.txt"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def pinned(lock: Path) -> dict[str, set[str]]:
    """Return the versions that a lock file allows, by package; a marker may choose between two."""
    found: dict[str, set[str]] = {}
    for name, version in re.findall(r"^([A-Za-z0-9._-]+)(?:\[[^]]*\])?==([^ ;\\]+)", lock.read_text(), re.MULTILINE):
        found.setdefault(canonicalize_name(name), set()).add(version)
    return found


def test_there_are_locks_for_running_testing_and_node() -> None:
    assert [lock.name for lock in LOCKS] == ["dev.txt", "node.txt", "run.txt"]


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_a_lock_names_no_place(lock: Path) -> None:
    assert not re.search(r"://|--index-url|--extra-index-url|--find-links|--trusted-host|@ file", lock.read_text())


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_every_package_of_a_lock_has_hashes(lock: Path) -> None:
    entries = re.split(r"\n(?=\S)", lock.read_text().strip())
    assert entries
    assert [entry for entry in entries if "--hash=sha256:" not in entry] == []


@pytest.mark.parametrize(
    ("lock", "extras"), [("run.txt", ["checkout"]), ("dev.txt", ["checkout", "dev"])], ids=["run", "dev"]
)
def test_a_lock_holds_what_the_project_asks_for(lock: str, extras: list[str]) -> None:
    asked = list(PROJECT["dependencies"])
    for extra in extras:
        asked += PROJECT["optional-dependencies"][extra]
    locked = pinned(ROOT / "requirements" / lock)
    for requirement in map(Requirement, asked):
        versions = locked.get(canonicalize_name(requirement.name), set())
        assert versions, f"{requirement.name} is not in {lock}: run bin/lock"
        assert all(requirement.specifier.contains(version, prereleases=True) for version in versions), requirement


def test_tests_run_on_the_very_versions_that_are_deployed() -> None:
    run, dev = (pinned(ROOT / "requirements" / f"{name}.txt") for name in ("run", "dev"))
    assert {name: dev.get(name) for name in run} == run


def test_npms_lock_has_hashes_and_no_addresses() -> None:
    lock = json.loads((ROOT / "package-lock.json").read_text())
    package = json.loads((ROOT / "package.json").read_text())
    wanted = package["dependencies"] | package["devDependencies"]
    packages = {name: entry for name, entry in lock["packages"].items() if name}
    assert [name for name, entry in packages.items() if "resolved" in entry] == []
    assert [name for name, entry in packages.items() if not entry["integrity"].startswith("sha512-")] == []
    assert {name: packages[f"node_modules/{name}"]["version"] for name in wanted} == wanted


def test_htmx_is_the_2_that_flask_htmx_reads() -> None:
    wanted = json.loads((ROOT / "package.json").read_text())["dependencies"]
    assert wanted["htmx.org"].startswith("2.0.")
