"""`wfr` from outside: every process that a deployment starts, started."""

from __future__ import annotations

import http.client
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import _administer as administer
from tests.conftest import _named as named

WFR = (sys.executable, "-m", "wfr")
GUNICORN = (sys.executable, "-m", "gunicorn", "--config", "python:wfr.serving", "wfr:create_app()")
STREAM = (
    *(sys.executable, "-m", "gevent.monkey", "--module"),
    *("gunicorn", "--config", "python:wfr.streaming", "wfr.streaming:stream_app()"),
)
DATABASES = ("sqlite", "postgresql")

Environment = dict[str, str]


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    """The environment of a machine on which nothing is set but the data folder and a free port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return {**kept, "WFR_DATA": str(tmp_path), "PORT": str(port)}


@pytest.fixture(params=DATABASES)
def on_database(request: pytest.FixtureRequest, environment: Environment) -> Iterator[Environment]:
    """The same, with an empty database that has never been set up."""
    if request.param == "sqlite":
        yield environment
        return
    server = request.getfixturevalue("postgresql")
    name = f"cli_{environment['PORT']}"
    administer(server, f"CREATE DATABASE {name}")
    yield {**environment, "DATABASE_URL": named(server, name), "SECRET_KEY": "for tests"}
    administer(server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def start() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Return a function that starts a process and kills it after the test."""
    started: list[subprocess.Popen[str]] = []

    def begin(command: tuple[str, ...], environment: Environment) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        started.append(process)
        return process

    yield begin
    for process in started:
        process.kill()
        process.communicate()


def wfr(environment: Environment, *arguments: str, status: int = 0) -> str:
    """Run a command to its end and return what it said."""
    done = subprocess.run((*WFR, *arguments), env=environment, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout + done.stderr


def said(process: subprocess.Popen[str], words: str) -> str:
    """Read what a process says up to the line with `words`; fail with all of it when it ends before."""
    lines = []
    assert process.stdout
    for line in process.stdout:
        lines.append(line)
        if re.search(words, line):
            return "".join(lines)
    raise AssertionError("".join(lines))


def ask(environment: Environment, path: str, headers: dict[str, str] | None = None) -> http.client.HTTPResponse:
    """Ask the server for a page, waiting up to 10 s for it to listen."""
    for _ in range(100):
        connection = http.client.HTTPConnection("127.0.0.1", int(environment["PORT"]), timeout=10)
        try:
            connection.request("GET", path, headers={"Connection": "close", **(headers or {})})
            return connection.getresponse()
        except ConnectionRefusedError:
            connection.close()
            time.sleep(0.1)
    raise AssertionError("nobody listens")


def status(environment: Environment, path: str, headers: dict[str, str] | None = None) -> int:
    """Return the status of a page."""
    with ask(environment, path, headers) as response:
        response.read()
        return response.status


def test_a_first_start_is_empty_and_says_what_to_do(
    on_database: Environment, start: Callable[..., subprocess.Popen[str]]
) -> None:
    server = start((*WFR, "run"), on_database)
    output = said(server, "Ctrl-C ends it")
    assert "The database is empty" in output
    assert f"http://127.0.0.1:{on_database['PORT']}" in output
    assert [status(on_database, path) for path in ("/", "/healthz", "/readyz", "/metrics")] == [200] * 4


def test_ctrl_c_ends_it_soon_with_streams_open(
    environment: Environment, start: Callable[..., subprocess.Popen[str]]
) -> None:
    server = start((*WFR, "run"), environment)
    said(server, "Ctrl-C ends it")
    streams = [ask(environment, "/live") for _ in range(4)]
    assert [stream.status for stream in streams] == [200] * 4
    began = time.monotonic()
    server.send_signal(signal.SIGINT)
    output, _ = server.communicate(timeout=10)
    took = time.monotonic() - began
    for stream in streams:
        stream.close()
    # One and a half on a quiet machine; here others are tested beside it.
    assert took < 3
    assert server.returncode == 0
    assert "Traceback" not in output


def test_the_try_out_loads_the_demonstration_once(
    environment: Environment, start: Callable[..., subprocess.Popen[str]]
) -> None:
    demonstration = {**environment, "WFR_DEMO": "1"}
    for first in (True, False):
        server = start((*WFR, "run"), demonstration)
        output = said(server, "Ctrl-C ends it")
        assert ("Loading the demonstration" in output) is first
        server.send_signal(signal.SIGTERM)
        server.communicate(timeout=10)
    assert wfr(environment, "tally", "verify").splitlines()[-1] == "drift 0"


def test_the_demonstration_is_not_started_on_real_data(environment: Environment) -> None:
    wfr(environment, "db", "upgrade")
    with sqlite3.connect(Path(environment["WFR_DATA"]) / "wfr.db") as database:
        database.execute(
            "INSERT INTO seasons (slug, name, opens, closes, key_date, reports_due) "
            "VALUES ('real', 'Real', '2026-11-01', '2026-12-31', '2026-12-10', '2027-01-31')"
        )
    database.close()
    output = wfr({**environment, "WFR_DEMO": "1"}, "run", status=1)
    assert "WFR_DEMO: this database holds a real season" in output


def test_a_taken_port_is_told_plainly(environment: Environment) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", int(environment["PORT"])))
        other.listen()
        output = wfr(environment, "run", status=1)
    assert re.search(r"PORT: cannot listen on .*; set another one", output)
    assert "Traceback" not in output


def test_a_wrong_setting_ends_every_command_by_name(environment: Environment) -> None:
    wrong = {**environment, "WFR_THREADS": "many"}
    for command in (("run",), ("config",), ("tally", "verify")):
        output = wfr(wrong, *command, status=1)
        assert "WFR_THREADS: " in output
        assert "Traceback" not in output


def test_config_shows_every_setting_and_no_secret(environment: Environment) -> None:
    output = wfr({**environment, "SECRET_KEY": "hidden", "WFR_BIN": "x"}, "config")
    assert "SECRET_KEY = (set, not shown)" in output
    assert "hidden" not in output
    assert "WFR_BIN is set but is no setting; did you mean WFR_BIND?" in output
    assert f"PORT = {environment['PORT']}\n" in output


def test_help_lists_the_commands_of_the_domains_too(environment: Environment) -> None:
    output = wfr(environment, "--help")
    for command in ("run", "worker", "db", "config", "backup", "restore", "demo", "tally"):
        assert re.search(rf"^  {command} ", output, re.MULTILINE)


def test_two_upgrades_at_once_do_not_disturb_each_other(
    on_database: Environment, start: Callable[..., subprocess.Popen[str]]
) -> None:
    both = [start((*WFR, "db", "upgrade"), on_database) for _ in range(2)]
    outputs = sorted(process.communicate(timeout=60)[0] for process in both)
    assert [process.returncode for process in both] == [0, 0], outputs
    assert ["upgraded" in output for output in outputs] == [True, False]


def test_a_backup_goes_from_one_installation_to_another(on_database: Environment, tmp_path: Path) -> None:
    elsewhere = {
        **{name: value for name, value in on_database.items() if name not in ("DATABASE_URL", "SECRET_KEY")},
        "WFR_DATA": str(tmp_path / "elsewhere"),
    }
    wfr(elsewhere, "db", "upgrade")
    wfr(elsewhere, "demo", "load", "--empty")
    assert "rows of" in wfr(elsewhere, "backup", str(tmp_path / "backup.zip"))
    assert "are restored" in wfr(on_database, "restore", str(tmp_path / "backup.zip"))
    assert "--force" in wfr(on_database, "restore", str(tmp_path / "backup.zip"), status=1)
    assert wfr(on_database, "tally", "verify").splitlines()[-1] == "drift 0"


def test_a_worker_runs_the_jobs_and_ends_when_told(
    on_database: Environment, start: Callable[..., subprocess.Popen[str]]
) -> None:
    wfr(on_database, "db", "upgrade")
    worker = start((*WFR, "worker"), on_database)
    assert "check_tally" in said(worker, "Jobs:")
    time.sleep(1)
    worker.send_signal(signal.SIGTERM)
    output, _ = worker.communicate(timeout=10)
    assert worker.returncode == 0, output
    assert "Traceback" not in output


def test_several_web_processes_share_their_figures(
    on_database: Environment, start: Callable[..., subprocess.Popen[str]]
) -> None:
    wfr(on_database, "db", "upgrade")
    several = {**on_database, "WEB_CONCURRENCY": "2"}
    server = start(GUNICORN, several)
    assert [status(several, "/readyz") for _ in range(20)] == [200] * 20
    with ask(several, "/metrics") as response:
        figures = response.read().decode()
    assert 'wfr_http_requests_total{endpoint="readyz",method="GET",status="200"} 20.0' in figures
    server.send_signal(signal.SIGTERM)
    output, _ = server.communicate(timeout=30)
    assert server.returncode == 0, output


def test_the_stream_process_streams_and_serves_nothing_else(
    on_database: Environment, start: Callable[..., subprocess.Popen[str]]
) -> None:
    wfr(on_database, "db", "upgrade")
    server = start(STREAM, on_database)
    streams = [ask(on_database, "/live") for _ in range(50)]
    assert {stream.status for stream in streams} == {200}
    assert streams[0].headers["Access-Control-Allow-Origin"] == f"http://127.0.0.1:{on_database['PORT']}"
    assert [status(on_database, path) for path in ("/healthz", "/readyz", "/", "/tally.json")] == [200, 200, 404, 404]
    server.send_signal(signal.SIGTERM)
    for stream in streams:
        stream.read()
    output, _ = server.communicate(timeout=30)
    assert server.returncode == 0, output


def test_the_stream_process_says_how_it_wants_to_be_started(environment: Environment) -> None:
    done = subprocess.run(
        (sys.executable, "-c", "import wfr.streaming"),
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "gevent.monkey" in done.stderr


def test_figures_are_for_this_machine_or_the_tokens_holder(
    environment: Environment, start: Callable[..., subprocess.Popen[str]]
) -> None:
    server = start((*WFR, "run"), {**environment, "WFR_METRICS_TOKEN": "of mine"})
    said(server, "Ctrl-C ends it")
    through_a_proxy = {"X-Forwarded-For": "203.0.113.9"}
    assert status(environment, "/metrics") == 200
    assert status(environment, "/metrics", through_a_proxy) == 403
    assert status(environment, "/metrics", {**through_a_proxy, "Authorization": "Bearer wrong"}) == 403
    assert status(environment, "/metrics", {**through_a_proxy, "Authorization": "Bearer of mine"}) == 200


def test_not_ready_before_the_database_is_upgraded(
    on_database: Environment, start: Callable[..., subprocess.Popen[str]]
) -> None:
    start(GUNICORN, on_database)
    assert status(on_database, "/healthz") == 200
    assert status(on_database, "/readyz") == 503
    wfr(on_database, "db", "upgrade")
    assert status(on_database, "/readyz") == 200


def test_a_demonstration_is_not_served_to_the_world_and_the_server_ends(environment: Environment) -> None:
    wfr(environment, "db", "upgrade")
    wfr(environment, "demo", "load", "--empty")
    public = {
        "WFR_BASE_URL": "https://write.example.org",
        "MAIL_URL": "smtp://mail.example.org:587",
        "SECRET_KEY": "k" * 40,
        "WFR_PRIVACY_CONTACT": "privacy@example.org",
    }
    done = subprocess.run(
        GUNICORN, env={**environment, **public}, capture_output=True, text=True, check=False, timeout=30
    )
    assert done.returncode == 3
    assert done.stderr.count("stays one") == 1, done.stderr


WITHOUT_SUBSETTER = """
import ctypes

class Without(ctypes.CDLL):
    def __init__(self, name, *rest, **more):
        if name and str(name).startswith("libharfbuzz-subset"):
            raise OSError(name)
        super().__init__(name, *rest, **more)

ctypes.CDLL = Without
"""


@pytest.mark.parametrize("command", [(*WFR, "run"), GUNICORN, (*WFR, "worker")], ids=["run", "gunicorn", "worker"])
def test_slow_printing_is_told_at_start(
    environment: Environment, start: Callable[..., subprocess.Popen[str]], tmp_path: Path, command: tuple[str, ...]
) -> None:
    (tmp_path / "sitecustomize.py").write_text(WITHOUT_SUBSETTER, encoding="utf-8")
    wfr(environment, "db", "upgrade")
    line = said(start(command, {**environment, "PYTHONPATH": str(tmp_path)}), "subsetter").splitlines()[-1]
    assert "9 times faster" in line and "libharfbuzz-subset0" in line
