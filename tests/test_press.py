"""The press: documents go to child processes and come back as PDF, and nothing of them stays anywhere."""

from __future__ import annotations

import io
import itertools
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pikepdf
import pytest

from wfr import press
from wfr.paper import PaperError
from wfr.press import Busy, Document

CANARY = "Xylographica Quintessa"
PAGE = '<!doctype html><html lang="en"><title>{0}</title><body class="paper-A4"><p class="letter">{0}</p></html>'
HERE = Path("/proc/self").resolve()


def page(words: str) -> Document:
    return Document(PAGE.format(words), "css/paper.css")


def title_of(pdf: bytes) -> str:
    with pikepdf.open(io.BytesIO(pdf)) as document:
        return str(document.docinfo["/Title"])


def children() -> set[int]:
    found = set()
    for task in (HERE / "task").iterdir():
        try:
            found.update(map(int, (task / "children").read_text().split()))
        except FileNotFoundError:
            continue
    return found


@pytest.fixture
def begun() -> Iterator[Callable[[Iterator[bytes]], set[int]]]:
    """Take the first document of a run, and return the processes that it started."""
    before = children()

    def begin(run: Iterator[bytes]) -> set[int]:
        next(run)
        return children() - before

    yield begin
    assert children() <= before


def test_documents_come_back_in_their_order() -> None:
    words = [f"Sheet {number}" for number in range(5)]
    assert [title_of(pdf) for pdf in press.press(map(page, words), processes=2)] == words


def test_documents_are_taken_as_they_can_be_printed_not_all_at_once() -> None:
    taken: list[int] = []

    def endless() -> Iterator[Document]:
        for number in itertools.count():
            taken.append(number)
            yield page("One of many")

    run = press.press(endless(), processes=1)
    next(run)
    run.close()  # type: ignore[attr-defined]
    assert len(taken) <= 3


def test_children_end_when_nobody_wants_the_rest(begun: Callable[[Iterator[bytes]], set[int]]) -> None:
    run = press.press(map(page, "abcdef"), processes=2)
    started = begun(run)
    assert len(started) == 2
    run.close()  # type: ignore[attr-defined]
    assert not any(Path(f"/proc/{child}").exists() for child in started)


def test_a_killed_child_is_an_error_and_no_endless_wait(begun: Callable[[Iterator[bytes]], set[int]]) -> None:
    run = press.press(map(page, "abcdef"), processes=1)
    (child,) = begun(run)
    os.kill(child, signal.SIGKILL)
    with pytest.raises(PaperError, match="ended before its sheet was done"):
        list(run)


def test_a_document_that_takes_too_long_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(press, "DOCUMENT_SECONDS", 0.01)
    with pytest.raises(PaperError):
        next(press.press([page("Too slow")], processes=1))


@pytest.mark.parametrize(
    "html",
    [
        f'<!doctype html><html lang="en"><body><p>{CANARY}</p></html>',
        PAGE.format(f"<span style=\"font-family: '{CANARY}'\">x</span>"),
        PAGE.format(f'<img alt="" src="https://example.org/{CANARY}.png">'),
    ],
    ids=["no title", "a font", "an image"],
)
def test_what_cannot_be_printed_is_an_error_without_the_document_s_words(html: str) -> None:
    with pytest.raises(PaperError) as problem:
        list(press.press([Document(html, "css/paper.css")], processes=1))
    assert CANARY not in str(problem.value) and "Quintessa" not in repr(problem.value)
    assert CANARY not in repr(Document(html, "css/paper.css"))


def test_nothing_of_a_document_is_in_arguments_or_environment(
    begun: Callable[[Iterator[bytes]], set[int]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    run = press.press([page(CANARY)] * 4, processes=1)
    (child,) = begun(run)
    seen = b"".join(Path(f"/proc/{child}/{file}").read_bytes() for file in ("cmdline", "environ"))
    files = [str(link.readlink()) for link in Path(f"/proc/{child}/fd").iterdir()]
    list(run)
    assert b"press" in seen and b"Quintessa" not in seen
    assert not [file for file in files if file.startswith(str(tmp_path))]
    assert not list(tmp_path.rglob("*"))


def test_a_further_run_is_refused_while_the_press_is_full(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(press, "_room", threading.BoundedSemaphore(1))
    monkeypatch.setattr(press, "PATIENCE_SECONDS", 0.01)
    first = press.press([page("a"), page("b"), page("c")], processes=1)
    next(first)
    with pytest.raises(Busy):
        next(press.press([page("d")], processes=1))
    first.close()  # type: ignore[attr-defined]
    assert title_of(next(press.press([page("d")], processes=1))) == "d"


PARENT = """
import sys, time
from wfr.press import Document, press
run = press([Document(sys.argv[1], "css/paper.css")] * 9, processes=1)
next(run)
print("begun", flush=True)
time.sleep(60)
"""


def test_children_die_with_a_killed_parent() -> None:
    with subprocess.Popen([sys.executable, "-c", PARENT, PAGE.format("a")], stdout=subprocess.PIPE) as parent:
        assert parent.stdout
        assert parent.stdout.readline() == b"begun\n"
        tasks = Path(f"/proc/{parent.pid}/task").iterdir()
        orphans = {int(child) for task in tasks for child in (task / "children").read_text().split()}
        assert orphans
        parent.kill()
        parent.wait()
    ends = time.monotonic() + 10
    while any(Path(f"/proc/{orphan}").exists() for orphan in orphans) and time.monotonic() < ends:
        time.sleep(0.02)
    assert not any(Path(f"/proc/{orphan}").exists() for orphan in orphans)


def test_a_run_may_begin_in_any_thread() -> None:
    printed: list[bytes] = []
    thread = threading.Thread(target=lambda: printed.extend(press.press([page("a")], processes=1)))
    thread.start()
    thread.join(30)
    assert [title_of(pdf) for pdf in printed] == ["a"]
