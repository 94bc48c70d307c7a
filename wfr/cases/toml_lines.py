"""On which line each key of a TOML file stands, which the parser of the standard library does not tell."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from typing import Any

Path = tuple[int | str, ...]
"""Where something stands in a file: keys, and indexes from 0 in lists, such as ``("targets", 0, "country")``."""

_TOKEN = re.compile(
    r"""(?P<text>\"{3}(?:\\.|[^\\])*?\"{3,5}|'{3}.*?'{3,5}|"(?:\\.|[^"\\\n])*"|'[^'\n]*')"""
    r"""|(?P<comment>\#[^\n]*)|(?P<end>\n)|(?P<open>[\[{])|(?P<close>[\]}])|(?P<equals>=)|(?P<other>[^"'\#\n\[\]{}=]+)""",
    re.DOTALL,
)


def lines_of(text: str) -> dict[Path, int]:
    """Return the line, from 1, of each key and table header of a TOML text that has been parsed without an error.

    What stands inside a list or an inline table has the line of its key only.
    """
    walk = _Walk()
    for number, statement in _statements(text):
        walk.take(number, statement)
    return walk.lines


def _statements(text: str) -> list[tuple[int, str]]:
    """Return each statement's first line and its words: a header, or a key up to its equals sign."""
    found: list[tuple[int, str]] = []
    line, depth, words, is_value = 1, 0, "", False
    for token in _TOKEN.finditer(text):
        kind, part = token.lastgroup, token[0]
        if kind == "end" and depth == 0:
            words, is_value = "", False
        elif kind == "equals" and depth == 0 and not is_value:
            found.append((line, words.strip()))
            is_value = True
        elif not is_value and kind not in ("comment", "end"):
            words += part
        depth += {"open": 1, "close": -1}.get(kind or "", 0)
        if kind == "close" and depth == 0 and not is_value:
            found.append((line, words.strip()))
            is_value = True
        line += part.count("\n")
    return found


class _Walk:
    """Goes through a file's statements and knows which table it is in."""

    def __init__(self) -> None:
        self.lines: dict[Path, int] = {}
        self._lists: Counter[Path] = Counter()
        self._table: Path = ()

    def take(self, number: int, statement: str) -> None:
        if statement.startswith("[["):
            path = self._resolve(_keys(statement.strip("[]") + " = 0"), last=False)
            self._table = (*path, self._lists[path])
            self._lists[path] += 1
            self.lines.setdefault(path, number)
            self._note(self._table, number)
        elif statement.startswith("["):
            self._table = self._resolve(_keys(statement.strip("[]") + " = 0"))
            self._note(self._table, number)
        else:
            self._note((*self._table, *_keys(f"{statement} = 0")), number)

    def _note(self, path: Path, number: int) -> None:
        for depth in range(len(self._table), len(path) + 1):
            self.lines.setdefault(path[:depth], number)
        self.lines.setdefault(path, number)

    def _resolve(self, keys: tuple[str, ...], *, last: bool = True) -> Path:
        """Return the path of a header: a list that it goes through stands for its newest entry."""
        path: Path = ()
        for depth, key in enumerate(keys):
            path = (*path, key)
            if path in self._lists and (last or depth < len(keys) - 1):
                path = (*path, self._lists[path] - 1)
        return path


def _keys(assignment: str) -> tuple[str, ...]:
    keys: list[str] = []
    value: Any = tomllib.loads(assignment)
    while isinstance(value, dict):
        key, value = next(iter(value.items()))
        keys.append(key)
    return tuple(keys)
