"""The document of the public JSON holds: schemathesis asks everything it describes, and some of what it does not."""

from __future__ import annotations

import pytest
from flask import Flask
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events, from_schema
from schemathesis.openapi import from_wsgi
from schemathesis.schemas import BaseSchema

from tests.factories import Cast

# The same requests each time, so that a red test is red again.
SETTLED = {
    "seed": 1,
    "generation": {"max-examples": 30, "deterministic": True, "database": "none"},
    # Its client in process asks for compressed answers, and does not open them.
    "headers": {"Accept-Encoding": "identity"},
}

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def document(app: Flask, season: Cast) -> BaseSchema:
    """The document as anybody reads it, of a site with a season."""
    return from_wsgi("/api/v1/openapi.json", app, config=SchemathesisConfig.from_dict(SETTLED))


def test_every_answer_is_as_the_document_says(document: BaseSchema) -> None:
    asked: dict[int, int] = {}
    problems: list[str] = []
    # Its own way to run under pytest (4.32) does not know pytest 9.2; this is what its command does.
    for event in from_schema(document).execute():
        if isinstance(event, events.ScenarioFinished):
            problems += [
                f"{event.recorder.cases[case_id].value.as_curl_command()}: {check.failure_info.failure.message}"
                for case_id, checks in event.recorder.checks.items()
                for check in checks
                if check.failure_info
            ]
            for each in event.recorder.interactions.values():
                if each.response:
                    asked[each.response.status_code] = asked.get(each.response.status_code, 0) + 1
        elif isinstance(event, (events.NonFatalError, events.FatalError)):
            problems.append(str(event))
    assert not problems, "\n".join(problems)
    assert asked[200] > 50 and asked[404] > 5 and asked[405] > 5 and asked[422] > 5


def test_the_document_describes_every_address_fully(document: BaseSchema, app: Flask) -> None:
    described = document.raw_schema["paths"]
    served = {rule.rule for rule in app.url_map.iter_rules() if rule.endpoint.startswith("api_v1.")}
    assert {path.replace("{", "<").replace("}", ">") for path in described} == served and len(served) == 6
    for path, operations in described.items():
        answers = operations["get"]["responses"]
        refusals = {"404", "410"} if "{slug}" in path else set()
        assert operations["get"]["summary"] and set(answers) >= {"200", "default"} | refusals, path
    for name, shape in document.raw_schema["components"]["schemas"].items():
        for field, about in shape["properties"].items():
            told = about.get("example") is not None or "$ref" in str(about) or name == "Problem"
            assert about["description"] and told, f"{name}.{field}"
