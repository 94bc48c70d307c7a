"""The migrations and the models say the same."""

from __future__ import annotations

import flask_migrate
from flask import Flask

from wfr import paths


def test_a_migrated_database_lacks_nothing_that_the_models_have(app: Flask) -> None:
    with app.app_context():
        flask_migrate.check(directory=str(paths.MIGRATIONS))
