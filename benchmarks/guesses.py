"""Ten thousand guesses at one password, from a hundred addresses: how many does the real program check.

    python -m benchmarks.guesses [--guesses 10000] [--threads 8]

Starts `wfr run` on an empty database, as if behind a proxy that says where each request comes from.
"""

from __future__ import annotations

import argparse
import http.client
import re
import sqlite3
import tempfile
import threading
import time
from pathlib import Path
from urllib.parse import urlencode

from tests.programs import Server

ADDRESSES = 100
TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')


def guess(port: int, name: str, numbers: range) -> None:
    """Send guesses over one connection."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.request("GET", "/desk/sign-in")
    page = connection.getresponse()
    cookie = (page.getheader("Set-Cookie") or "").partition(";")[0]
    found = TOKEN.search(page.read().decode())
    if found is None:
        raise RuntimeError("the sign-in page carries no token")
    for number in numbers:
        fields = {"csrf_token": found[1], "name": name, "password": f"guess number {number}", "code": "123456"}
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            "Cookie": cookie,
            "X-Forwarded-For": f"203.0.113.{number % ADDRESSES}",
        }
        connection.request("POST", "/desk/sign-in", urlencode(fields), headers)
        answer = connection.getresponse()
        answer.read()
        if answer.status != 303:
            raise RuntimeError(f"answered {answer.status}")
    connection.close()


def checks(folder: Path, what: str) -> int:
    """Count the entries of a kind in the audit trail: each checked password that was wrong is one."""
    with sqlite3.connect(folder / "wfr.db") as database:
        return int(database.execute("SELECT count(*) FROM audit_entries WHERE what = ?", (what,)).fetchone()[0])


def main() -> None:
    """Run it and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--guesses", type=int, default=10_000)
    parser.add_argument("--threads", type=int, default=8)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        server = Server(folder, TRUSTED_PROXIES="1")
        server.start()
        try:
            server.run("staff", "add", "cora", "--email", "cora@example.org", "--role", "coordinator")
            began = time.monotonic()
            threads = [
                threading.Thread(target=guess, args=(server.port, "cora", range(n, given.guesses, given.threads)))
                for n in range(given.threads)
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            seconds = time.monotonic() - began
        finally:
            server.stop()
        checked, told = checks(folder, "sign_in.refused"), checks(folder, "sign_in.blocked")
    print(f"{given.guesses} guesses in {seconds:.1f} s: {checked} passwords checked, {told} block in the trail")


if __name__ == "__main__":
    main()
