"""People at the desk in a real browser: they sign in as people do, with a password and a code from an app."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass

import pyotp
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.programs import Server

PERSON = re.compile(r"^(\S+)\s.*?password\s+(\S+).*?(otpauth://\S+)", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Person:
    """How somebody signs in."""

    name: str
    password: str
    line: str


def make_people(server: Server) -> dict[str, Person]:
    """Make the demonstration's people, as `wfr demo staff` prints them."""
    done = server.run("demo", "staff")
    assert done.returncode == 0, done.stderr
    people = [Person(*found) for found in PERSON.findall(done.stdout)]
    assert len(people) == 4, done.stdout
    return {person.name: person for person in people}


class Desk:
    """Opens browsers in which somebody is signed in, and closes them again; what their consoles complain of is kept."""

    def __init__(self, chromium: Browser, server: Server) -> None:
        self._chromium = chromium
        self._server = server
        self._people = make_people(server)
        self._contexts: list[BrowserContext] = []
        self.problems: list[str] = []

    def sit_down(self, name: str, *, width: int = 1440, script: bool = True) -> Page:
        """Sign `name` in, in a browser of their own, and return its page: the desk's home."""
        context = self._chromium.new_context(
            base_url=self._server.url,
            viewport={"width": width, "height": 900},
            java_script_enabled=script,
            locale="en-GB",
        )
        self._contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(15_000)
        page.on("console", lambda message: self._note(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        page.on("request", lambda request: self._only_ours(request.url))
        self.sign_in(page, name)
        return page

    def sign_in(self, page: Page, name: str) -> None:
        """Fill in the form at the door."""
        person = self._people[name]
        page.goto("/desk/")
        expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
        page.get_by_label("Name").fill(person.name)
        page.get_by_label("Password").fill(person.password)
        page.get_by_label("Code").fill(self.code(name))
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("What waits for you")

    def code(self, name: str) -> str:
        """Return a code of this person's app that has not been used yet."""
        return fresh_code(self._people[name].line)

    def close(self) -> None:
        """Close every browser."""
        for context in self._contexts:
            context.close()

    def _note(self, complaint: str) -> None:
        # What a browser says of a refusal that a test wanted.
        if not re.match(
            r"(Failed to load resource.*status of|Response Status Error Code) 4(00|01|03|04|09|10|22)", complaint
        ):
            self.problems.append(complaint)

    def _only_ours(self, url: str) -> None:
        if not url.startswith((self._server.url, "data:", "blob:", "about:")):
            self.problems.append(f"the page asked {url}")


_used: dict[str, int] = {}


def fresh_code(line: str) -> str:
    """Return a code of an authenticator app that was not given before; waits for the app's next one if it must."""
    step = int(time.time() // 30)
    # The door takes the next step's code too, as clocks differ.
    wanted = max(step, _used.get(line, 0) + 1)
    while wanted > int(time.time() // 30) + 1:
        time.sleep(0.5)
    _used[line] = wanted
    totp = pyotp.parse_uri(line)
    assert isinstance(totp, pyotp.TOTP)
    return totp.generate_otp(wanted)


Sit = Callable[..., Page]
