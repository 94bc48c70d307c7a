"""Transit: how many days a letter usually takes by air mail, and whether there is still time to post one.

Planning figures of ours, not promises of any post office. A letter leaves one post and arrives in another, so the days
of two regions add up. They are conservative, for letters are written in December: to no region is the longer figure
below the last posting days before Christmas that Royal Mail recommended for standard letters from Great Britain in
2016, 2017 and 2020. For ordinary weeks national posts publish shorter aims.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Literal, NamedTuple

StillTime = Literal["yes", "tight", "no"]


class Transit(NamedTuple):
    """How long a letter usually takes, in calendar days: seldom less than `low`, seldom more than `high`."""

    low: int
    high: int


class Region(NamedTuple):
    """Countries (ISO 3166-1 alpha-2) whose posts take about as long, and how long at either end, in days."""

    leaving: Transit
    arriving: Transit
    countries: str


WITHIN_A_COUNTRY = Transit(2, 6)

REGIONS = {
    "western Europe": Region(
        Transit(1, 3),
        Transit(2, 9),
        "AD AT AX BE CH CZ DE DK ES FI FO FR GB GG GI IE IM IS IT JE LI LU MC NL NO PL PT SE SI SJ SK SM VA",
    ),
    "eastern and south-eastern Europe": Region(
        Transit(2, 5),
        Transit(4, 15),
        "AL AM AZ BA BG BY CY EE GE GR HR HU LT LV MD ME MK MT RO RS RU TR UA XK",
    ),
    "North America": Region(Transit(2, 4), Transit(4, 11), "BM CA GL PM US"),
    "Latin America and the Caribbean": Region(
        Transit(3, 7),
        Transit(6, 15),
        "AG AI AR AW BB BL BO BQ BR BS BZ CL CO CR CU CW DM DO EC FK GD GF GP GS GT GY HN HT JM KN KY LC MF MQ MS MX "
        "NI PA PE PR PY SR SV SX TC TT UY VC VE VG VI",
    ),
    "Middle East and North Africa": Region(
        Transit(2, 6), Transit(6, 19), "AE BH DZ EG EH IL IQ IR JO KW LB LY MA OM PS QA SA SY TN YE"
    ),
    "Africa south of the Sahara": Region(
        Transit(3, 8),
        Transit(6, 19),
        "AO BF BI BJ BW CD CF CG CI CM CV DJ ER ET GA GH GM GN GQ GW IO KE KM LR LS MG ML MR MU MW MZ NA NE NG RE RW "
        "SC SD SH SL SN SO SS ST SZ TD TF TG TZ UG YT ZA ZM ZW",
    ),
    "Asia": Region(
        Transit(2, 6),
        Transit(5, 15),
        "AF BD BN BT CN HK ID IN JP KG KH KP KR KZ LA LK MM MN MO MV MY NP PH PK SG TH TJ TL TM TW UZ VN",
    ),
    "Australia and New Zealand": Region(Transit(2, 4), Transit(5, 17), "AU CC CX HM NF NZ"),
    "islands of the Pacific, and Antarctica": Region(
        Transit(4, 9),
        Transit(8, 20),
        "AQ AS BV CK FJ FM GU KI MH MP NC NR NU PF PG PN PW SB TK TO TV UM VU WF WS",
    ),
}

_REGION_OF = {code: region for region in REGIONS.values() for code in region.countries.split()}


def usual_days(sender: str, destination: str) -> Transit:
    """Return how long a letter usually takes between two countries, or within one.

    Raises `KeyError` for what is no country.
    """
    leaving, arriving = _REGION_OF[sender].leaving, _REGION_OF[destination].arriving
    if sender == destination:
        return WITHIN_A_COUNTRY
    return Transit(leaving.low + arriving.low, leaving.high + arriving.high)


def last_posting_day(sender: str, destination: str, deadline: date) -> date:
    """Return the last day on which a letter that takes its longest usual time still comes by the deadline.

    Raises as `usual_days` does.
    """
    return deadline - timedelta(days=usual_days(sender, destination).high)


def still_time(sender: str, destination: str, deadline: date, today: date) -> StillTime:
    """Say whether a letter posted today comes by the deadline: usually, with luck, or hardly.

    Raises as `usual_days` does.
    """
    days = usual_days(sender, destination)
    if today <= last_posting_day(sender, destination, deadline):
        return "yes"
    return "tight" if today + timedelta(days=days.low) <= deadline else "no"
