"""The state that a database generates for an enrolment of these facts, without a row in it."""

import sqlite3
from collections.abc import Mapping
from typing import Any, cast

from sqlalchemy import Computed

from hikflask.models import Enrolment

FACTS = ("desired", "person", "face", "next_attempt_at", "step")
GENERATED = cast("Computed", Enrolment.__table__.c.state.computed)


def state_by(facts: Mapping[str, Any]) -> str:
    """Return it; without `next_attempt_at` no attempt is due."""
    values = [facts.get(name) and str(facts[name]) for name in FACTS]
    named = ", ".join(f"? AS {name}" for name in FACTS)
    connection = sqlite3.connect(":memory:")
    state: str = connection.execute(f"SELECT {GENERATED.sqltext} FROM (SELECT {named})", values).fetchone()[0]
    connection.close()
    return state
