"""Campaign posts for tests: two people at the desk, an account at the fake X, and a post that both have agreed to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from sqlalchemy import select

from tests.conftest import make_settings
from tests.share.fake_x import HANDLE, USER_ID, FakeX
from tests.staffing import make_account
from wfr.cases.models import Case
from wfr.config import Settings
from wfr.extensions import db, transaction, utc_now
from wfr.share.models import CampaignPost, LinkPlace, XAccount
from wfr.share.posting import PostDraft, approve_post, begin_post, submit_post
from wfr.share.renewing import put_tokens
from wfr.share.x import SCOPES, Tokens
from wfr.staff.models import Actor, Role

WORDS = "Ada Vale wrote a poem & was taken. <Write> for her."


def x_settings(folder: Path, database_url: str, **changes: str) -> Settings:
    """Return the settings of a public site with an app at X."""
    public = {
        "WFR_BASE_URL": "https://write.example.org",
        "MAIL_URL": "smtp://127.0.0.1:1",
        "SECRET_KEY": "a key of the tests that nobody else may have",
        "WFR_PRIVACY_CONTACT": "privacy@example.org",
    }
    app = {"WFR_X_CLIENT_ID": "an-app-of-ours", "WFR_X_CLIENT_SECRET": "a-secret-of-our-app"}
    return make_settings(folder, database_url, **{**public, **app, **changes})


@dataclass
class Campaign:
    """Wren writes, Rhea reviews. Needs an app context and a season's cast."""

    writer: Actor
    reviewer: Actor

    @classmethod
    def begin(cls) -> Campaign:
        """Give the desk its two people."""
        return cls(
            Actor(make_account("wren", Role.WRITER).id),
            Actor(make_account("rhea", Role.REVIEWER).id),
        )

    def connect(self, fake: FakeX) -> None:
        """Have an account connected, as a coordinator would."""
        access, refresh = fake.let_in()
        tokens = Tokens(access, refresh, utc_now() + timedelta(days=30), " ".join(SCOPES))
        assert self.reviewer.account_id is not None
        with transaction() as session:
            account = XAccount(
                user_id=USER_ID, handle=HANDLE, name="Sunrise Letters", connected_by=self.reviewer.account_id
            )
            put_tokens(account, tokens)
            session.add(account)

    def draft(self, slug: str | None = "ada-vale", **changes: object) -> int:
        """Write a post, without a picture, its link in it; return its id."""
        values = {"words": WORDS, "link_in": LinkPlace.POST, "card": False, **changes}
        case_id = case_named(slug).id if slug else None
        return begin_post(by=self.writer, case_id=case_id, language="en", draft=PostDraft(**values))  # type: ignore[arg-type]

    def approved(self, slug: str | None = "ada-vale", **changes: object) -> int:
        """Write a post, hand it in, and have it approved; return its id."""
        post_id = self.draft(slug, **changes)
        submit_post(by=self.writer, post_id=post_id, revision=read(post_id).revision)
        approve_post(by=self.reviewer, post_id=post_id, revision=read(post_id).revision)
        return post_id


def case_named(slug: str) -> Case:
    """Return a case as the database has it."""
    db.session.rollback()
    return db.session.scalars(select(Case).where(Case.slug == slug).execution_options(populate_existing=True)).one()


def read(post_id: int) -> CampaignPost:
    """Return a post as the database has it now."""
    db.session.rollback()
    return db.session.get_one(CampaignPost, post_id, populate_existing=True)


def change(post_id: int, **values: object) -> None:
    """Change a post's row, as somebody with the database in hand would."""
    with transaction() as session:
        post = session.get_one(CampaignPost, post_id)
        for name, value in values.items():
            setattr(post, name, value)


def change_case(slug: str, **values: object) -> None:
    """Change a case's row."""
    with transaction() as session:
        case = session.scalars(select(Case).where(Case.slug == slug)).one()
        for name, value in values.items():
            setattr(case, name, value)
