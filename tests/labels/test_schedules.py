"""Words for the schedules by which somebody may pass."""

from datetime import UTC, datetime

from flask import Flask

from hikflask.labels.schedules import rights_on
from hikflask.services.passages.schedules import Rights, Schedule


def test_day_without_hours_is_said_to_be_closed(app: Flask) -> None:
    sunday = datetime(2026, 11, 29, 9, tzinfo=UTC)
    rights = Rights(sunday, [Schedule(5, "Офис", [(0, "09:00", "18:00")])])

    with app.test_request_context(headers={"Accept-Language": "ru"}):
        assert rights_on(rights, sunday) == "расписание «Офис» (воскресенье: закрыто весь день)"
