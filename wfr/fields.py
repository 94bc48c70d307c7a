"""Form fields for what people type: it is cleaned before anything else looks at it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from wtforms import StringField, TextAreaField

from wfr.text import RefusedText, clean_line, clean_text


class _CleanField:
    """Cleans what was typed; what nobody could read, or no letter carry, becomes the field's error."""

    clean: Callable[[str], str]
    data: Any

    def process_formdata(self, valuelist: list[Any]) -> None:
        """Take what was sent, cleaned."""
        super().process_formdata(valuelist)  # type: ignore[misc]
        if self.data:
            try:
                self.data = type(self).clean(self.data)
            except RefusedText as problem:
                raise ValueError(str(problem)) from None


class LineField(_CleanField, StringField):
    """One line of a person's own words."""

    clean = staticmethod(clean_line)


class WordsField(_CleanField, TextAreaField):
    """Several lines of a person's own words."""

    clean = staticmethod(clean_text)
