"""What is stored of a log is read into types, and written as it was."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone

from hikflask.isapi.events import event_record
from hikflask.services.passages.log_state import LogState, Look, Today

AT, AS_STORED = datetime(2026, 12, 2, 8, 0, 0, 250, UTC), "2026-12-02T08:00:00.000250+00:00"
# Every key, as databases have them since 0.3.0.
STORED = {
    **dict.fromkeys(("begun", "since", "empty", "looked_at", "overlap_at", "from", "tried_at"), AS_STORED),
    "anchor": ["2026-12-02T08:00:00+00:00", "2026-12-02T11:00:00"],
    "oldest": ["2026-12-02T07:00:00+00:00", "2026-12-02T10:00:00"],
    **dict.fromkeys(("unsure", "halted", "marked"), True),
    "ahead": -3,
    "lost": "overwritten",
    "begins": "new_log",
    "whole": False,
    "tried": 76,
    "today": {"day": "2026-12-02", "new": 7, "old": 0},
    "pass": {"code": 1, "at": 30, "turned": False, "missing": [4, 5], "gaps": [[AS_STORED, AS_STORED]]},
}


def test_what_is_stored_of_a_log_is_read_into_types_and_written_as_it_was() -> None:
    state = LogState.read(STORED)

    assert (state.covered_from, state.today) == (AT, Today(date(2026, 12, 2), 7, 0))
    assert state.look == Look(code=1, at=30, turned=False, missing=(4, 5), gaps=((AT, AT),))
    assert state.written() == STORED


def test_what_is_none_is_not_stored_and_what_older_programs_left_out_or_stored_besides_is_read() -> None:
    assert LogState().written() == {}
    assert LogState.read({"pass": {"at": None}, "today": {"day": "2026-12-02"}, "of_another_version": 1}) == LogState(
        look=Look(), today=Today(date(2026, 12, 2))
    )
    assert replace(LogState.read(STORED), look=Look(missing=())).written()["pass"]["missing"] == []


def test_record_is_known_by_its_moment_or_by_its_local_time() -> None:
    known = LogState.read(STORED).anchor
    moved = event_record({"minor": 75, "time": "2026-12-02T11:00:00+08:00"})
    same = event_record({"minor": 75, "time": "2026-12-02T16:00:00+08:00"}, timezone(timedelta(hours=8)))
    other = event_record({"minor": 75, "time": "2026-12-02T11:00:01+03:00"})

    assert known is not None
    assert [known.is_of(one) for one in (moved, same, other) if one is not None] == [True, True, False]
