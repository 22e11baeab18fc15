"""What is said of passages that were not read for long."""

import pytest
from flask import current_app

from hikflask.diagnosis import good, terminals, wrong
from hikflask.extensions import db
from hikflask.models import EventLog, Terminal
from hikflask.models.columns import database_now
from tests.support.retention import age

pytestmark = [pytest.mark.usefixtures("context"), pytest.mark.both_databases]

MORE = "`journalctl -u hikflask -u hikflask-worker` says more."


def test_passages_that_were_not_read_for_thirty_hours_are_wrong(terminal: Terminal) -> None:
    off = list(terminals.check_logs())
    current_app.config["PASSAGES"] = "poll"
    new = list(terminals.check_logs())
    age(Terminal, "created_at", 40 * 3600.0)
    never = list(terminals.check_logs())
    db.session.add(EventLog(terminal_id=terminal.id, read_at=database_now(-29 * 3600.0), error_code="no_answer"))
    db.session.commit()
    lately = list(terminals.check_logs())
    age(EventLog, "read_at", 31 * 3600.0)
    late = list(terminals.check_logs())

    lost = "hours, and what its log has no room for is lost."
    assert off == []
    assert new == lately == [good("The passages at 1 terminals in use were read within 30 hours.")]
    assert never == [wrong(f"The passages at terminal “Вход” have not been read for 40 {lost} {MORE}")]
    assert late == [
        wrong(
            f"The passages at terminal “Вход” have not been read for 31 {lost} The last attempt failed (no_answer). "
            f"{MORE}"
        )
    ]
