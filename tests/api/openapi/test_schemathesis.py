"""Schemathesis calls the API as its description says, with all checks and as everybody, and as it does not.

A few seconds by default; `--schemathesis-examples N` asks for more. It finds failures of ours (5xx), what is not
described (statuses, types, bodies), input that is taken or refused against its schema, and calls without a token.
"""

import logging
from typing import Any

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis import Case, GenerationMode
from schemathesis.core.failures import AcceptedNegativeData, Failure, FailureGroup
from schemathesis.core.result import Ok
from schemathesis.openapi.checks import RejectedPositiveData

from hikflask.extensions import db
from hikflask.models import Throttle
from hikflask.models.accounts import ADMIN, ROLES
from tests.support.signed_in import make_token

NOBODY = "nobody"
# Rules that a schema cannot say: the order of two days, years, what a file holds, fields that exclude each other.
BEYOND_A_SCHEMA = 422
# An argument that a call does not know is ignored; and the test itself shows the token that was left out.
IGNORED = {"- query: violates `additionalProperties`", "- header: violates `required` (was Authorization)"}


@pytest.fixture(name="settings")
def answered() -> dict[str, Any]:
    """Errors are answered, as when the app serves; nobody is waited for long, and passages are on."""
    return {"PASSAGES": "poll", "PROPAGATE_EXCEPTIONS": False, "CAPTURE_TIMEOUT": 0.3, "CONNECT_TIMEOUT": 0.2}


def is_beyond_a_schema(failure: Failure) -> bool:
    if isinstance(failure, AcceptedNegativeData):
        broken = {line.strip() for line in failure.message.splitlines() if line.strip().startswith("- ")}
        return bool(broken) and broken <= IGNORED
    return isinstance(failure, RejectedPositiveData) and failure.status_code == BEYOND_A_SCHEMA


def failures_of(operation: Any, mode: GenerationMode, examples: int, headers: dict[str, str]) -> list[str]:
    """Make so many calls, and return what is wrong with the answers."""
    found: list[str] = []

    @seed(1)
    @settings(
        max_examples=examples,
        deadline=None,
        phases=[Phase.generate],
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def call(case: Case[Any]) -> None:
        try:
            case.call_and_validate(headers=headers)
        except FailureGroup as group:
            found.extend(str(one) for one in group.exceptions if not is_beyond_a_schema(one))

    call()
    return found


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
def test_no_call_fails_or_answers_what_is_not_described(
    app: Flask, request: pytest.FixtureRequest, mode: GenerationMode, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)
    examples: int = request.config.getoption("--schemathesis-examples")
    tokens = {role: {"Authorization": f"Bearer {make_token(app, role)}"} for role in ROLES} | {NOBODY: {}}
    schema = schemathesis.openapi.from_wsgi("/api/openapi.json", app, headers=tokens[ADMIN])
    found: dict[tuple[str, str], list[str]] = {}
    # What is not as described is refused to everybody by the same code, or before anything of it is read.
    asking = tokens if mode == GenerationMode.POSITIVE else {ADMIN: tokens[ADMIN]}
    for who, headers in asking.items():
        for result in schema.get_all_operations():
            # Tries without a right token are counted, and refused with 429 in the end.
            with app.app_context():
                db.session.execute(db.delete(Throttle))
                db.session.commit()
            assert isinstance(result, Ok)
            operation = result.ok()
            count = examples if who == ADMIN else max(1, examples // 4)
            if wrong := failures_of(operation, mode, count, headers):
                found[who, operation.label] = wrong

    assert found == {}
