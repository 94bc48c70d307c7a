"""Placeholders: what may stand in braces in a case's words, checked when the case is loaded and never on paper."""

from __future__ import annotations

import re

PLACEHOLDERS: dict[str, frozenset[str]] = {
    "letter": frozenset({"own_words", "person"}),
    "email_body": frozenset({"own_words", "person"}),
    "solidarity_message": frozenset({"own_words", "person"}),
    "post": frozenset({"person", "handle"}),
}
"""What may stand in braces in each part of a case's text. Nothing else is ever filled in."""

OWN_WORDS = "{own_words}"
BRACES = re.compile(r"\{([^{}]*)\}|[{}]")


class UnknownPlaceholder(ValueError):
    """A case's text has braces that nothing can fill in: `part` is where, `placeholder` what, `why` what is wrong."""

    def __init__(self, part: str, placeholder: str, problem: str) -> None:
        super().__init__(f"{part}: {placeholder} {problem}")
        self.part = part
        self.placeholder = placeholder
        self.why = problem


def check_placeholders(part: str, text: str) -> None:
    """Check the braces in one part of a case's text, when the case is loaded and never on paper.

    Raises `UnknownPlaceholder` for a name that is not in `PLACEHOLDERS`, for a brace on its own, and for
    ``{own_words}`` that shares its line: without own words the rest of that line would be a broken sentence.
    """
    allowed = PLACEHOLDERS[part]
    for found in BRACES.finditer(text):
        if found[1] not in allowed:
            names = ", ".join(f"{{{name}}}" for name in sorted(allowed))
            raise UnknownPlaceholder(part, found[0], f"is not one of {names}")
    for line in text.splitlines():
        if OWN_WORDS in line and line.strip() != OWN_WORDS:
            raise UnknownPlaceholder(part, OWN_WORDS, "must stand alone on its line")
