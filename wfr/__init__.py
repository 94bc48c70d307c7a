"""`wfr`: the web app that a letter-writing campaign for human rights runs on."""

from __future__ import annotations

import structlog
from flask import Flask

from wfr import errors, extensions, jobs, mail, paths, security, site, telemetry
from wfr.api import setup as api_setup
from wfr.cases import cli as cases_cli
from wfr.cases import jobs as cases_jobs
from wfr.cases import photograph_desk, reply_desk, season_desk, story_desk
from wfr.cases import setup as cases_setup
from wfr.cases import views as cases_views
from wfr.config import Settings
from wfr.drives import cli as drives_cli
from wfr.drives import jobs as drives_jobs
from wfr.drives import setup as drives_setup
from wfr.letters import desk as letters_desk
from wfr.letters import jobs as letters_jobs
from wfr.letters import views as letters_views
from wfr.network import cli as network_cli
from wfr.network import jobs as network_jobs
from wfr.network import setup as network_setup
from wfr.pages import PageCache
from wfr.pledges import cli as pledges_cli
from wfr.pledges import desk as pledges_desk
from wfr.pledges import jobs as pledges_jobs
from wfr.pledges import setup as pledges_setup
from wfr.pledges import views as pledges_views
from wfr.share import jobs as share_jobs
from wfr.share import setup as share_setup
from wfr.staff import accounts_desk, audit_desk
from wfr.staff import cli as staff_cli
from wfr.staff import desk as staff_desk
from wfr.staff import jobs as staff_jobs
from wfr.staff import setup as staff_setup

__all__ = ["create_app"]


def create_app(settings: Settings | None = None) -> Flask:
    """Build the app from `settings`, by default those of the environment. Raises `ConfigError`."""
    settings = settings or Settings.load()
    if not structlog.is_configured():
        # The library's own way shows the values of variables in a trace, and those may be a visitor's lines.
        telemetry.set_up_log(settings.log_format)
    app = Flask(__name__, template_folder=str(paths.TEMPLATES), static_folder=None)
    app.config.from_mapping(flask_config(settings))
    app.extensions["wfr.settings"] = settings
    extensions.init_app(app)
    errors.init_app(app)
    site.init_app(app)
    mail.init_app(app, settings)
    for blueprint in (
        cases_views.blueprint,
        letters_views.blueprint,
        pledges_views.blueprint,
        staff_desk.blueprint,
        accounts_desk.blueprint,
        audit_desk.blueprint,
        letters_desk.blueprint,
        photograph_desk.blueprint,
        reply_desk.blueprint,
        season_desk.blueprint,
        story_desk.blueprint,
        pledges_desk.blueprint,
    ):
        app.register_blueprint(blueprint)
    staff_setup.init_app(app, settings)
    cases_setup.init_app(app)
    pledges_setup.init_app(app, settings)
    share_setup.init_app(app)
    drives_setup.init_app(app)
    network_setup.init_app(app)
    api_setup.init_app(app)
    queue = jobs.init_app(app, settings)
    cases_jobs.register(queue)
    letters_jobs.register(queue, lambda template, **values: app.jinja_env.get_template(template).render(values))
    pledges_jobs.register(queue)
    share_jobs.register(queue)
    staff_jobs.register(queue)
    drives_jobs.register(queue)
    network_jobs.register(queue)
    for domain in (cases_cli, pledges_cli, staff_cli, drives_cli, network_cli):
        for command in domain.commands:
            app.cli.add_command(command)
    cache = app.extensions["wfr.page_cache"] = PageCache(app.wsgi_app)
    app.wsgi_app = cache  # type: ignore[method-assign]
    security.init_app(app, settings)
    telemetry.init_app(app, settings)
    return app


def flask_config(settings: Settings) -> dict[str, object]:
    """Return what Flask and its extensions read from `app.config`."""
    return {
        "SECRET_KEY": settings.key("session"),
        "SECRET_KEY_FALLBACKS": settings.keys("session")[1:],
        "MAX_CONTENT_LENGTH": settings.max_request_bytes,
        "MAX_FORM_MEMORY_SIZE": settings.max_request_bytes,
        "SQLALCHEMY_DATABASE_URI": settings.database_url,
        "SQLALCHEMY_ENGINE_OPTIONS": extensions.engine_options(settings),
        "BABEL_DEFAULT_LOCALE": "en",
        "BABEL_TRANSLATION_DIRECTORIES": str(paths.TRANSLATIONS),
        "RATELIMIT_ENABLED": settings.ratelimit_enabled,
        "RATELIMIT_STORAGE_URI": settings.ratelimit_storage,
        "RATELIMIT_STRATEGY": "moving-window" if settings.redis_url is None else "fixed-window",
        "RATELIMIT_IN_MEMORY_FALLBACK_ENABLED": settings.redis_url is not None,
        # zstd first: half the processor time of brotli for as few bytes, and every present browser takes it.
        "COMPRESS_ALGORITHM": ["zstd", "br", "gzip"],
        "COMPRESS_ZSTD_LEVEL": 3,
        "COMPRESS_BR_LEVEL": 4,
        "COMPRESS_LEVEL": 5,
        "COMPRESS_STREAMS": False,
        "COMPRESS_EVALUATE_CONDITIONAL_REQUEST": False,
    }
