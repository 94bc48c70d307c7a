"""Markdown for mails, and lines that mail can carry."""

from __future__ import annotations

from wfr.network.fitting import fit_html, fit_text
from wfr.network.plain import mail_html, plain_text


def test_markdown_becomes_plain_text_without_its_signs() -> None:
    source = (
        "## What *is* new\n\nRead [the report](https://example.org/r). [Z1]\n\n1. one\n2. two\n   goes on\n\n"
        "> said she\n\n[One](https://a.example) and [two](https://b.example)\\\nend"
    )
    assert plain_text(source) == (
        "What is new\n-----------\n\nRead the report.\nhttps://example.org/r\n\n1. one\n2. two goes on\n\n"
        "| said she\n\nOne <https://a.example> and two <https://b.example>\nend"
    )
    assert "<script" not in mail_html("<script>alert(1)</script> [x](javascript:alert(1))")


def test_text_is_wrapped_so_that_it_can_be_unwrapped() -> None:
    link = f"https://example.org/{'a' * 120}"
    text = f"{'word ' * 40}\n{link}\nFrom here\n> quoted\n"
    lines = fit_text(text).split("\n")
    assert max(len(line.rstrip()) for line in lines if link not in line) <= 78
    assert link in lines and " From here" in lines and " > quoted" in lines
    assert "".join(line for line in lines[:3]).split() == ["word"] * (len("".join(lines[:3]).split()))


def test_html_lines_are_broken_where_it_changes_nothing() -> None:
    html = f"<p>{'她写了一首诗。' * 200}</p><p>{'a&amp;' * 400}</p><p>{'word ' * 400}</p>"
    fitted = fit_html(html)
    assert max(len(line.encode()) for line in fitted.split("\n")) < 998
    assert fitted.replace("<wbr\n>", "").replace("<wbr>", "").replace("\n", " ") == html
