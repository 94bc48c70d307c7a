"""A season's files: read as a whole, and every problem told with its file and line."""

from __future__ import annotations

import pytest

from wfr import paths
from wfr.cases.loading import folder_files
from wfr.cases.season_files import BadFiles, read_season
from wfr.cases.toml_lines import lines_of

SEASON = b"""slug = "2031"
name = "Letters of 2031"
opens = 2031-11-01
key_date = 2031-12-10
closes = 2031-12-31
reports_due = 2032-01-31
"""
CASE = """slug = "ada-vale"
name = "Ada Vale"
country = "TG"
checked = 2031-10-01
pattern = "waves"
colours = "teal"
kinds = ["letter"]

[[targets]]
office = "Minister of Justice"
salutation = "Dear Minister,"
address_lines = [
  "Ministry of Justice",
  "1 River Road",
]
country = "TG"

[texts.en]
headline = "Held for a poem"
story = \"\"\"
Ada wrote a poem about a river. [Z1]

It has [brackets] = and "quotes".\"\"\"
letter = \"\"\"
I am writing about {person}.

{own_words}\"\"\"

[[sources]]
tag = "Z1"
title = "A newspaper"
"""


def problems(case: str = CASE, **files: bytes) -> list[str]:
    given = {"season.toml": SEASON, "cases/ada-vale.toml": case.encode()}
    given |= {name.replace("__", "/") + ".toml": content for name, content in files.items()}
    try:
        read_season(given)
    except BadFiles as bad:
        return [str(problem) for problem in bad.problems]
    return []


def test_a_good_season_is_read() -> None:
    read = read_season({"season.toml": SEASON, "cases/ada-vale.toml": CASE.encode()})
    (case,) = read.cases
    assert (read.season.slug, case.slug, case.document.name) == ("2031", "ada-vale", "Ada Vale")
    assert case.document.texts["en"].story.startswith("Ada wrote") and case.document.sources[0].checked_on.year == 2031


@pytest.mark.parametrize(
    ("was", "becomes", "line", "words"),
    [
        ('name = "Ada Vale"', 'name = "Ada Vale', 2, "Illegal character"),
        ('name = "Ada Vale"', "name = 7", 2, "name must be text"),
        ('name = "Ada Vale"\n', "", 1, "name is missing"),
        ('slug = "ada-vale"\n', "", 1, "slug is missing"),
        ('slug = "ada-vale"', 'slug = "Ada Vale"', 1, "small letters"),
        ('country = "TG"', 'country = "XX"', 3, "“XX” is no country"),
        ('country = "TG"\n\n[texts', 'country = "Togo"\n\n[texts', 16, "country is longer than 2"),
        ('pattern = "waves"', 'pattern = "rings"', 5, "rays, sunrise"),
        ('colours = "teal"', 'colours = "pink"', 6, "teal, plum"),
        ('kinds = ["letter"]', 'kinds = ["letter", "fax"]', 7, "fax is not one of 'letter'"),
        ("{own_words}", "{own_word}", 24, "{own_word} is not one of"),
        ("[texts.en]", "[texts.english]", 18, "“english” is no language"),
        ('headline = "', 'headlines = "', 19, "headlines is no key"),
        ("[Z1]", "[Z1, Z9]", 20, "Z9 has no source"),
        ('tag = "Z1"', 'tag = "Z1"\ntitle = "B"\n[[sources]]\ntag = "Z1"', 30, "Z1 stands twice"),
        ("checked = 2031-10-01\n", "", 28, "checked_on is missing"),
        ("checked = 2031-10-01", "photograph = 'x'\nchecked = 2031-10-01", 4, "photographs do not travel"),
        ('salutation = "', 'source_tags = "Q4"\nsalutation = "', 11, "Q4 has no source"),
    ],
)
def test_a_problem_is_told_with_its_line(was: str, becomes: str, line: int, words: str) -> None:
    found = problems(CASE.replace(was, becomes, 1))
    assert any(one.startswith(f"cases/ada-vale.toml:{line}: ") and words in one for one in found), found


def test_all_problems_are_told_at_once() -> None:
    spoiled = CASE.replace('"TG"', '"XX"').replace("{person}", "{nobody}").replace('"waves"', '"rings"')
    found = problems(spoiled, stories=b"[[stories]]\nslug = 'x'\n", cases__twin=CASE.encode())
    assert [one.split(" ")[0] for one in found] == [
        "cases/ada-vale.toml:3:",
        "cases/ada-vale.toml:5:",
        "cases/ada-vale.toml:16:",
        "cases/ada-vale.toml:24:",
        "cases/twin.toml:1:",
        *["stories.toml:1:"] * 4,
    ]
    assert "cases/ada-vale.toml too" in found[4]


def test_no_problem_hides_another() -> None:
    spoiled = CASE.replace('headline = "', 'headlines = "').replace("{person}", "{nobody}").replace("[Z1]", "[Z2]")
    assert [one.split(" ")[0] for one in problems(spoiled)] == [f"cases/ada-vale.toml:{line}:" for line in (19, 20, 24)]


def test_a_real_season_names_its_days() -> None:
    days = b"opens_days_before = 1\ncloses_days_after_key_date = 1\nreports_days_after_close = 1\n"
    assert problems(season=b'slug = "x"\nname = "X"\n' + days) == [
        "season.toml:1: opens, key_date, closes, reports_due is missing"
    ]
    assert problems(season=b"\xff") == ["season.toml:1: this is not written in UTF-8"]


def test_the_demonstration_is_without_a_problem() -> None:
    read = read_season(folder_files(paths.DEMO), counted=True)
    assert (len(read.cases), len(read.stories), len(read.totals)) == (7, 5, 14)


def test_lines_are_found_behind_all_that_toml_allows() -> None:
    text = (
        'a = [\n "x]", # ]\n "y"\n]\n"b c".d = """\n[x]\ne = 3\n\\""" still\n"""\n'
        "[[z]]\nq = {r = 1, s = '='}\n[z.y]\nw = 1\n[[z]]\n[[z.k]]\nm = 2\n[[z.k]]\n[o.p]\n"
    )
    lines = lines_of(text)
    assert lines[("a",)] == 1 and lines[("b c", "d")] == 5
    assert lines[("z", 0)] == 10 and lines[("z", 0, "q")] == 11 and lines[("z", 0, "y", "w")] == 13
    assert lines[("z", 1)] == 14 and lines[("z", 1, "k", 0, "m")] == 16 and lines[("z", 1, "k", 1)] == 17
    assert lines[("o", "p")] == 18
