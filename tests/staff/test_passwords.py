"""Which passwords will do."""

from __future__ import annotations

import pytest

from wfr.staff import passwords
from wfr.staff.passwords import BadPassword, demand_good


@pytest.mark.parametrize(
    "common",
    [
        "password1234",
        "P@ssw0rd2026!",
        "passwordpassword",
        "qwertyuiop12",
        "1qaz2wsx3edc",
        "123456789012",
        "210987654321",
        "abcdefghijkl",
        "aaaaaaaaaaaa",
        "112211221122",
        "iloveyou1234",
        "Summer2026!!",
        "liverpool-2005",
        "sunshine princess",
        "!!!letmein!!!2026",
        "correct horse battery staple",
        "ｐａｓｓｗｏｒｄ１２３４",
    ],
)
def test_common_passwords_are_refused(common: str) -> None:
    with pytest.raises(BadPassword, match="Too many people"):
        demand_good(common)


@pytest.mark.parametrize(
    "good",
    [
        "violet otters quietly map",
        "gOhJ7_x2-vQzR",
        "Дождь идёт третий день",
        "雨が三日も降り続いている町で",
    ],
)
def test_other_passwords_will_do(good: str) -> None:
    demand_good(good, personal=("rhea", "Write for Rights"))


@pytest.mark.parametrize("short", ["", "elevenchars", "ﷺ"])
def test_short_ones_are_refused(short: str) -> None:
    demand_good("zwölf Zeichen!")
    if len(passwords.normal(short)) < 12:
        with pytest.raises(BadPassword, match="at least 12"):
            demand_good(short)


def test_two_hundred_characters_are_enough() -> None:
    long = "".join(chr(0x4E00 + number) for number in range(201))
    demand_good(long[:200])
    with pytest.raises(BadPassword, match="at most 200"):
        demand_good(long)


@pytest.mark.parametrize("own", ["Rh3a-on-the-moon", "my-WriteForRights-key", "write for rights 77 x"])
def test_ones_own_and_the_sites_name_are_refused(own: str) -> None:
    with pytest.raises(BadPassword, match="Leave your own name"):
        demand_good(own, personal=("rhea", "Write for Rights"))


def test_it_is_the_same_password_whichever_keyboard_composed_it() -> None:
    kept = passwords.hashed("caf\u00e9 au lait à Genève")
    assert passwords.matches("cafe\u0301 au lait à Genève", kept)
    assert not passwords.matches("cafe au lait à Genève", kept)
    assert not passwords.matches("cafe au lait à Genève", None)
    assert not passwords.matches("cafe au lait à Genève", "nonsense")


def test_the_real_parameters_are_argon2ids_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    assert passwords.hashed("violet otters quietly map").startswith("$argon2id$v=19$m=65536,t=3,p=4$")
