"""Following a case: offered after an action and unticked, begun by mail, read on one's own page, ended by itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select, update

from tests.acting import act, text_of
from tests.factories import Cast
from tests.linting import LintingClient
from tests.network.mailings import make_issue, make_urgent_case
from tests.network.members import ANNA, after, ask, join, links_in, mails_to, member, path_to, the_member
from wfr.cases.models import Case, CaseStatus, Season
from wfr.cases.queries import today
from wfr.extensions import db, kept, transaction, utc_now
from wfr.jobs import queue_of
from wfr.network.links import LinkFor
from wfr.network.models import Follow

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture(autouse=True)
def context(app: Flask) -> Iterator[None]:
    """The app's context, for tests that look into the database."""
    with app.app_context():
        yield


def follows() -> list[str]:
    """Return the slugs of the cases that anybody follows."""
    db.session.rollback()
    return list(db.session.scalars(select(Case.slug).join(Follow, Follow.case_id == Case.id).order_by(Case.slug)))


def change_case(slug: str, **values: object) -> None:
    """Change a case, and let the next page see it."""
    with transaction() as session:
        session.execute(update(Case).where(Case.slug == slug).values(**values))
    kept().forget("shelf")


def test_nothing_is_ticked_on_the_thank_you_page(visitor: LintingClient, season: Cast) -> None:
    page = act(visitor, season.tiny).get_data(as_text=True)
    form = page[page.index('<form class="stay-in-touch"') :]
    form = form[: form.index("</form>")]
    assert "Tell me what happens to Ada Vale" in form
    assert 'name="country" value="TG"' in form
    assert form.count('type="checkbox"') == 3
    assert " checked" not in form
    by_mail = act(visitor, season.silent, "email").get_data(as_text=True)
    assert "Ask me once" not in by_mail


def test_who_acted_and_asked_follows_once_the_mail_is_confirmed(
    app: Flask, visitor: LintingClient, season: Cast
) -> None:
    answer = after(visitor, season.tiny, follow="y")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/network/check-your-mail")
    assert follows() == []
    mail = mails_to(app, ANNA)[0]
    assert "Ada" not in mail.as_string()
    link = links_in(mail, "confirm")[0]
    assert "Ada Vale" in text_of(visitor.get(link))
    mine = visitor.post(link).headers["Location"]
    assert follows() == [season.tiny]
    assert (the_member().frequency, the_member().country) == ("following", "TG")
    page = text_of(visitor.get(mine))
    assert "Open: letters are asked for" in page
    assert "She is home." in page


def test_a_member_follows_by_the_mail_and_her_wishes_stay(app: Flask, visitor: LintingClient, season: Cast) -> None:
    join(app, visitor, frequency="weekly")
    after(visitor, season.tiny, follow="y", join="y")
    link = links_in(mails_to(app, ANNA)[-1], "confirm")[0]
    assert "Yes, follow" in text_of(visitor.get(link))
    visitor.post(link)
    visitor.post(link)
    assert follows() == [season.tiny]
    assert the_member().frequency == "weekly"


def test_to_follow_takes_nothing_from_a_joining_that_waits(app: Flask, visitor: LintingClient, season: Cast) -> None:
    ask(visitor, frequency="every")
    after(visitor, season.tiny, follow="y")
    visitor.post(links_in(mails_to(app, ANNA)[0], "confirm")[0])
    assert the_member().frequency == "every"
    assert follows() == []
    visitor.post(links_in(mails_to(app, ANNA)[1], "confirm")[0])
    assert follows() == [season.tiny]


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "Tick what we may write to you about"),
        ({"follow": "y", "email": "nobody"}, "Give an e-mail address"),
        ({"remind": "y", "days": "400"}, "Not a valid choice"),
    ],
)
def test_a_form_that_asks_for_nothing_is_shown_again(
    app: Flask, visitor: LintingClient, season: Cast, fields: dict[str, str], words: str
) -> None:
    answer = after(visitor, season.tiny, **fields)
    assert answer.status_code == 422
    assert words in text_of(answer)
    assert mails_to(app, ANNA) == []


def test_the_name_of_a_case_is_words_and_no_markup(app: Flask, visitor: LintingClient, season: Cast) -> None:
    change_case(season.tiny, name='Ada <b>"Vale"</b>')
    pages = [act(visitor, season.tiny), visitor.get(join(app, visitor, follow=season.tiny))]
    pages.append(visitor.get(path_to(LinkFor.ME)))
    assert all(
        "<b>" not in page.get_data(as_text=True).replace("<b>30", "").replace("<b>end", "") for page in pages[1:]
    )
    assert "&lt;b&gt;" in pages[0].get_data(as_text=True)


def test_her_page_shows_the_issues_of_an_urgent_action(app: Flask, visitor: LintingClient, season: Cast) -> None:
    case = make_urgent_case("urgent-one", "Nour Hadid")
    make_issue(case)
    db.session.commit()
    kept().forget("shelf")
    mine = join(app, visitor, follow=case.slug)
    assert "First UA" in text_of(visitor.get(mine))


def test_a_case_that_is_withdrawn_names_nobody_on_her_page_or_in_her_data(
    app: Flask, visitor: LintingClient, season: Cast
) -> None:
    mine = join(app, visitor, follow=season.tiny)
    after(visitor, season.tiny, "ben@example.org", follow="y")
    change_case(season.tiny, status=CaseStatus.WITHDRAWN, status_at=utc_now())
    for path in (mine, f"{mine}/export", links_in(mails_to(app, ANNA)[0], "confirm")[0]):
        page = visitor.get(path).get_data(as_text=True)
        assert "Ada" not in page
        assert season.tiny not in page
    assert "A case that was taken down" in text_of(visitor.get(mine))
    assert after(visitor, season.tiny, follow="y").status_code == 410
    visitor.post(links_in(mails_to(app, "ben@example.org")[0], "confirm")[0])
    assert follows() == [season.tiny], "nobody begins to follow what was taken down"


def test_she_stops_following_by_a_button(app: Flask, visitor: LintingClient, season: Cast) -> None:
    mine = join(app, visitor, follow=season.tiny)
    join(app, visitor, "ben@example.org", follow=season.tiny)
    case_id = db.session.scalar(select(Follow.case_id))
    assert visitor.post(f"{mine}/unfollow", data={"case": case_id}).headers["Location"] == mine
    assert db.session.scalars(select(Follow.member_id)).all() == [the_member("ben@example.org").id]
    assert "is erased tonight" in text_of(visitor.get(mine))
    assert visitor.post(f"{mine}/unfollow", data={"case": "x"}).status_code == 303


@pytest.mark.parametrize("status", [CaseStatus.CLOSED, CaseStatus.WITHDRAWN])
def test_following_ends_a_month_after_the_case_and_with_it_who_asked_for_nothing_else(
    app: Flask, visitor: LintingClient, season: Cast, status: CaseStatus
) -> None:
    join(app, visitor, follow=season.tiny)
    join(app, visitor, "ben@example.org", follow=season.tiny, join="y")
    join(app, visitor, "cora@example.org", follow=season.long)
    end = queue_of(app).jobs["end_follows"]
    for days, left in ((29, 2), (31, 0)):
        change_case(season.tiny, status=status, status_at=utc_now() - timedelta(days=days))
        end()
        followers = select(func.count()).select_from(Follow).join(Case, Case.id == Follow.case_id)
        db.session.rollback()
        assert db.session.scalar(followers.where(Case.slug == season.tiny)) == left
    assert member() is None
    assert mails_to(app, ANNA) == []
    assert member("ben@example.org") is not None
    assert member("cora@example.org") is not None
    assert follows() == [season.long]


def test_following_ends_a_year_after_the_season_or_the_last_day_where_nobody_closes_the_case(
    app: Flask, visitor: LintingClient, season: Cast
) -> None:
    join(app, visitor, follow=season.tiny)
    case = make_urgent_case("urgent-one", "Nour Hadid")
    make_issue(case)
    db.session.commit()
    kept().forget("shelf")
    join(app, visitor, "ben@example.org", follow=case.slug)
    end = queue_of(app).jobs["end_follows"]
    for days, left in ((365, ["urgent-one", season.tiny]), (366, [])):
        with transaction() as session:
            session.execute(update(Season).values(closes=today() - timedelta(days=days)))
        change_case("urgent-one", deadline=today() - timedelta(days=days))
        end()
        assert sorted(follows()) == sorted(left)
    assert member() is None


@pytest.mark.parametrize("path", ["me", "/privacy"])
def test_pages_say_when_following_ends(app: Flask, visitor: LintingClient, season: Cast, path: str) -> None:
    page = text_of(visitor.get(join(app, visitor) if path == "me" else path))
    assert re.search(r"a month after the case is closed.*, or a year after its season or its last day\.", page)


def test_who_follows_is_told_that_this_comes_on_top_of_what_she_chose(
    app: Flask, visitor: LintingClient, season: Cast
) -> None:
    on_top = "What happens to people you follow comes as well."
    ask(visitor, frequency="weekly")
    after(visitor, season.tiny, follow="y")
    plain, following = (links_in(mail, "confirm")[0] for mail in mails_to(app, ANNA))
    assert on_top not in text_of(visitor.get(plain))
    assert f"One digest a week. {on_top}" in text_of(visitor.get(following))
    assert on_top in text_of(visitor.get("/network"))
    after(visitor, season.tiny, "ben@example.org", follow="y")
    only = links_in(mails_to(app, "ben@example.org")[0], "confirm")[0]
    assert on_top not in text_of(visitor.get(only))
