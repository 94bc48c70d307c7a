"""The reads of what came of share links."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from sqlalchemy import func, select

from wfr.cases.models import Case
from wfr.extensions import db
from wfr.intents import CHANNELS
from wfr.pledges.models import STANDING, Pledge
from wfr.share.codes import EVERYBODY
from wfr.share.models import ShareLink, SharePledge

FEWEST_TOLD = 5
"""Actions below which a private link says no number: it would tell what a single friend did."""


@dataclass(slots=True)
class Came:
    """What came of share links: opened by people, by programs that make previews, and actions that stand."""

    visits: int = 0
    previews: int = 0
    actions: int = 0

    def add(self, other: Came) -> None:
        """Count in what came of other links."""
        self.visits += other.visits
        self.previews += other.previews
        self.actions += other.actions

    @property
    def told(self) -> int | None:
        """The actions that may be told to whoever shared, or None while they are so few that they would say who."""
        return self.actions if self.actions >= FEWEST_TOLD else None


@dataclass(slots=True)
class SharedCase:
    """What came of all links for one case, by channel in the order of `wfr.intents.CHANNELS`."""

    case: Case
    total: Came = field(default_factory=Came)
    channels: dict[str, Came] = field(default_factory=dict)


def came_of(sharer: int, case_id: int | None = None) -> Came:
    """Return what came of one sharer's links on all channels, for one case or all."""
    about = [ShareLink.sharer == sharer]
    if case_id is not None:
        about.append(ShareLink.case_id == case_id)
    total = Came()
    for _case, _channel, came in _counted(*about):
        total.add(came)
    return total


def came_by_case(sharer: int) -> dict[int, Came]:
    """Return what came of one sharer's links on all channels, by the case's id."""
    found: dict[int, Came] = defaultdict(Came)
    for case_id, _channel, came in _counted(ShareLink.sharer == sharer):
        found[case_id].add(came)
    return found


def shared_cases() -> list[SharedCase]:
    """Return what came of sharing, the case most opened first; whose links they were is not in it."""
    cases = {case.id: case for case in db.session.scalars(select(Case))}
    seen: dict[int, SharedCase] = {}
    for case_id, channel, came in _counted():
        shared = seen.setdefault(case_id, SharedCase(cases[case_id]))
        shared.channels.setdefault(channel, Came()).add(came)
        shared.total.add(came)
    for shared in seen.values():
        shared.channels = {channel: shared.channels[channel] for channel in CHANNELS if channel in shared.channels}
    return sorted(seen.values(), key=lambda shared: (-shared.total.visits, shared.case.name))


def own_links() -> int:
    """Return how many visitors and schools had links of their own opened; a visitor has new ones after each action."""
    theirs = (ShareLink.sharer != EVERYBODY, ShareLink.channel != "campaign", ShareLink.visits > 0)
    several = select(func.count(func.distinct(ShareLink.sharer))).where(*theirs)
    return int(db.session.scalar(several) or 0)


def _counted(*about: object) -> list[tuple[int, str, Came]]:
    opened = db.session.execute(
        select(ShareLink.case_id, ShareLink.channel, func.sum(ShareLink.visits), func.sum(ShareLink.previews))
        .where(*about)  # type: ignore[arg-type]
        .group_by(ShareLink.case_id, ShareLink.channel)
    ).all()
    acted: dict[tuple[int, str], int] = defaultdict(int)
    rows = db.session.execute(
        select(ShareLink.case_id, ShareLink.channel, func.count())
        .join(SharePledge, SharePledge.link_id == ShareLink.id)
        .join(Pledge, Pledge.id == SharePledge.pledge_id)
        .where(Pledge.state.in_(STANDING), *about)  # type: ignore[arg-type]
        .group_by(ShareLink.case_id, ShareLink.channel)
    )
    for case_id, channel, actions in rows:
        acted[case_id, channel] = actions
    return [
        (case_id, channel, Came(int(visits), int(previews), acted[case_id, channel]))
        for case_id, channel, visits, previews in opened
    ]
