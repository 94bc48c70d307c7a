"""Real servers in processes of their own, for plugs to be pulled."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager

import pytest
from flask import Flask

from benchmarks.stage import Server, serving
from tests.factories import Cast
from tests.faults.visiting import Ledger, Serve
from wfr.config import Settings


@pytest.fixture
def serve(settings: Settings, season: Cast) -> Serve:
    """Start a real server on this test's database, without limits; the cast's cases are open."""
    assert settings.secret_key
    environ = {
        "PATH": os.environ["PATH"],
        "WFR_DATA": str(settings.data),
        "DATABASE_URL": settings.database_url,
        "SECRET_KEY": settings.secret_key.get_secret_value(),
        "RATELIMIT_ENABLED": "0",
    }

    def start(**changes: object) -> AbstractContextManager[Server]:
        return serving({**environ, **{name: str(value) for name, value in changes.items()}})

    return start


@pytest.fixture
def ledger(app: Flask) -> Ledger:
    """The ledger, read from outside the server."""
    return Ledger(app)
