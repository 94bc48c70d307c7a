"""What is set on a card: rounded numbers, and names of any length and script in the room that they have."""

from __future__ import annotations

from tests.letters.classroom import LONGEST_NAME as LONG
from wfr.share.cards import milestone
from wfr.share.lettering import lettering

ARABIC = "نسيمة السادة"


def test_milestones_are_what_a_number_is_more_than() -> None:
    known = {0: None, 100: None, 101: 100, 250: 100, 251: 250, 999: 500, 1001: 1000, 2501: 2500, 10_000: 5000}
    known |= {10_001: 10_000, 99_999: 50_000, 26_000: 25_000, 4_500_000: 2_500_000}
    assert {number: milestone(number) for number in known} == known


def test_every_name_has_room_and_stays_whole() -> None:
    names = ["Ada", LONG, (LONG + " ") * 3, "W" * 160, ARABIC * 12, "a-" * 80, "आशा देवी", "Анна Иванова"]
    for name in (name.strip()[:160] for name in names):
        found = lettering(name, 304)
        assert len(found.lines) * found.size * found.line_height <= 304
        assert "".join(found.lines).replace(" ", "") == name.upper().replace(" ", "")
    assert lettering("Gustavo Gatica", 304).lines == ("GUSTAVO", "GATICA")
    assert lettering("Nassima al-Sada", 304).lines == ("NASSIMA", "AL-SADA")
    assert lettering("Ada", 304).size > 4 * lettering(LONG, 304).size
