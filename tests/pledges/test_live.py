"""The live stream: capped, told within a second or so, and each place given back."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator

import pytest
from flask import Flask

from tests.acting import act
from tests.factories import Cast
from tests.linting import LintingClient
from wfr.pledges.live import Newsroom, NoRoom, as_event


def newsroom(app: Flask, room: int = 2) -> tuple[Newsroom, list[str]]:
    words = ["first"]
    return Newsroom(app, lambda: words[0], room=room), words


def next_event(stream: Iterator[str]) -> str:
    return next(event for event in stream if event.startswith("event:"))


@pytest.fixture(params=["sqlite"])
def database_url(request: pytest.FixtureRequest, tmp_path: object) -> str:
    """This file needs an app and no rows."""
    return f"sqlite:///{tmp_path}/none.db"


def test_a_listener_is_told_at_once_and_again_when_it_moves(app: Flask) -> None:
    room, words = newsroom(app)
    stream = room.listen()
    assert next_event(stream) == "event: tally\ndata: first\n\n"
    words[0] = "second"
    began = time.monotonic()
    assert "second" in next_event(stream)
    assert time.monotonic() - began < 5


def test_more_listeners_than_places_are_sent_away(app: Flask) -> None:
    room, _ = newsroom(app, room=2)
    streams = [room.listen(), room.listen()]
    with pytest.raises(NoRoom):
        room.listen()
    streams[0].close()  # type: ignore[attr-defined]
    streams[0].close()  # type: ignore[attr-defined]
    assert room.listeners == 1
    room.listen()


def test_a_new_listener_is_never_told_an_old_number(app: Flask) -> None:
    room, words = newsroom(app)
    first = room.listen()
    next_event(first)
    first.close()  # type: ignore[attr-defined]
    time.sleep(2.5)
    words[0] = "newest"
    assert "newest" in next_event(room.listen())


def test_an_event_keeps_its_lines() -> None:
    assert as_event("tally", "<p>\n\n one</p>") == "event: tally\ndata: <p>\ndata:  one</p>\n\n"


class TestOverHttp:
    """The same through the app, on both databases."""

    @pytest.fixture
    def database_url(self, request: pytest.FixtureRequest) -> str:
        """Use a migrated database after all."""
        folder = request.getfixturevalue("tmp_path")
        template = request.getfixturevalue("templates")("sqlite")
        shutil.copy(template.removeprefix("sqlite:///"), folder / "wfr.db")
        return f"sqlite:///{folder / 'wfr.db'}"

    def test_a_pledge_moves_the_number_in_an_open_stream(self, visitor: LintingClient, season: Cast) -> None:
        answer = visitor.get("/live")
        assert answer.mimetype == "text/event-stream"
        stream = (chunk.decode() if isinstance(chunk, bytes) else chunk for chunk in answer.response)
        next_event(stream)
        act(visitor, season.tiny)
        assert f'id="count-{season.tiny}"' in next_event(stream)
        answer.close()

    @pytest.mark.usefixtures("season")
    def test_with_no_room_the_browser_is_told_to_poll(self, visitor: LintingClient) -> None:
        open_streams = [visitor.get("/live") for _ in range(4)]
        assert visitor.get("/live").status_code == 204
        for stream in open_streams:
            stream.close()
        assert visitor.get("/live").status_code == 200
