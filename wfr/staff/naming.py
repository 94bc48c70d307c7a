"""The names that people sign in with: small letters, so that no two accounts differ by case alone."""

from __future__ import annotations

import unicodedata

import regex

LONGEST_NAME = 40
_NAME = regex.compile(r"[\p{L}\p{N}\p{M}]+(?:[ ._-][\p{L}\p{N}\p{M}]+)*")


def tidy_name(typed: str) -> str:
    """Return a name as it is kept, whatever case it was typed in."""
    return " ".join(unicodedata.normalize("NFKC", typed[:200]).casefold().split())


def is_name(name: str) -> bool:
    """Say whether a tidy name may be an account's: 2 to 40 letters and digits, parted by dots, dashes or spaces."""
    return 2 <= len(name) <= LONGEST_NAME and bool(_NAME.fullmatch(name))
