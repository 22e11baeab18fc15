"""Each transition leads from just the states and to just the states that it says, and the guide draws them."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from itertools import product
from typing import Any, cast

import pytest
from sqlalchemy import Connection, Table, create_engine, insert, select, update

from hikflask.models import Enrolment, Terminal
from hikflask.models.capture import CANCELLED, CAPTURED, FAILED, SUPERSEDED, USED
from hikflask.models.enrolment import ABSENT, CONFIRMED, PENDING, PRESENT, REFUSED, REMOVED, STATES
from hikflask.services.state import capture, enrolment
from hikflask.services.state.enrolment import CHANGED_SINCE_BACKUP, LEFT_ALONE, NOT_RESTORED, Transition
from tests.support import state_diagrams
from tests.support.refusals import refusal

ROWS, NOW = cast("Table", Enrolment.__table__), datetime.now(UTC)
Changes = list[dict[str, object]]
TRANSITIONS = {name: one for name, one in vars(enrolment).items() if isinstance(one, Transition)}
# What callers give; all else that they give is a text.
GIVEN: Mapping[str, tuple[Any, ...]] = {
    "confirmed_at": (NOW,),
    "face": (PENDING, REFUSED),
    "person": (PENDING, REFUSED),
    "next_attempt_at": (NOW,),
    "photo_id": (1,),
    "confirmed_photo_id": (None,),
    "employee_id": (None,),
    "face_unverified": (False, True),
    "overwrite": (False,),
    "rights_before": (None,),
}
# These may end the attempts; these are proven once more; and these confirm a face that is the desired photo.
ENDING = {"STOPPED", "POSTPONED_FOR"}
LATE = {"PERSON_CONFIRMED"}
CONFIRMING = {"TAKEN_OVER"}


@pytest.fixture(scope="module")
def connection() -> Iterator[Connection]:
    """A database with an enrolment of each combination of facts that its constraints allow."""
    engine = create_engine("sqlite://")
    Enrolment.metadata.create_all(engine, tables=[cast("Table", Terminal.__table__), ROWS])
    facts = product(
        (PRESENT, ABSENT), (PENDING, CONFIRMED, REFUSED), (PENDING, CONFIRMED, REFUSED), (None, NOW), ("", "face"),
        (None, *map(refusal, (NOT_RESTORED, CHANGED_SINCE_BACKUP, LEFT_ALONE))), ("", "Иван"), (False, True),
    )  # fmt: skip
    names = ("desired", "person", "face", "next_attempt_at", "step", "refusal", "written_name", "on_old_device")
    rows = [
        {"terminal_id": 1, "number": str(place), **dict(zip(names, row, strict=True)), **photos(row[2])}
        for place, row in enumerate(facts)
        if row[:1] != (ABSENT,) or row[2] != CONFIRMED
    ]
    with engine.connect() as opened:
        opened.exec_driver_sql("PRAGMA foreign_keys = OFF")
        opened.execute(insert(ROWS), rows)
        opened.commit()
        yield opened
    engine.dispose()


def photos(face: str) -> dict[str, Any]:
    confirmed = {"confirmed_photo_id": 1, "confirmed_at": NOW}
    return {"photo_id": 1, **(confirmed if face == CONFIRMED else dict.fromkeys(confirmed))}


def moved(connection: Connection, name: str) -> dict[str, tuple[str, ...]]:
    """Apply a transition to all rows with each combination of what callers give; return from and to which states."""
    transition, before = TRANSITIONS[name], states(connection)
    found: set[tuple[str, str]] = set()
    for values in product(*(GIVEN.get(column, ("x",)) for column in transition.given)):
        given = dict(zip(transition.given, values, strict=True))
        endings: Changes = [{"next_attempt_at": None}] if name in ENDING else []
        late: Changes = [{"next_attempt_at": NOW}] if name in LATE else []
        confirmed: Changes = [{"face": CONFIRMED, "confirmed_photo_id": 1}] if name in CONFIRMING else []
        for more in ({}, *endings, *late, *confirmed):
            applied = update(ROWS).where(transition.needs).values({**transition.writes, **given, **more})
            ids = connection.execute(applied.returning(ROWS.c.id)).scalars().all()
            after = states(connection)
            found |= {(before[row_id], after[row_id]) for row_id in ids}
            connection.rollback()
    return {state: tuple(to for to in STATES if (state, to) in found) for state in STATES if state in dict(found)}


def states(connection: Connection) -> dict[int, str]:
    return {row_id: state for row_id, state in connection.execute(select(ROWS.c.id, ROWS.c.state))}


@pytest.mark.parametrize("name", TRANSITIONS)
def test_transition_leads_where_it_says(connection: Connection, name: str) -> None:
    said = {state: tuple(sorted(to, key=STATES.index)) for state, to in TRANSITIONS[name].moves.items()}

    assert moved(connection, name) == {state: said[state] for state in STATES if state in said}


def test_nobody_is_confirmed_but_by_the_terminal_and_removed_but_by_it_or_a_person() -> None:
    ways: dict[str, set[str]] = {CONFIRMED: set(), REMOVED: set()}
    for name, one in TRANSITIONS.items():
        for source, targets in one.moves.items():
            for to in {CONFIRMED, REMOVED} & {*targets} - {source}:
                ways[to].add(name)

    assert ways == {
        CONFIRMED: {"CONFIRMED_WITH_FACE", "CONFIRMED_AS_BEFORE", "TAKEN_OVER"},
        REMOVED: {"GONE", "REMOVED_BY_HAND", "REMOVED_WITH_TERMINAL", "REMOVED_AS_SOMEBODY_ELSES"},
    }


def test_capture_that_ended_does_not_run_again() -> None:
    ended = {FAILED, CANCELLED, SUPERSEDED}
    for one in vars(capture).values():
        if isinstance(one, capture.Transition):
            assert not ended & {*one.sources}
            assert USED not in one.sources or one.to in {USED, SUPERSEDED}
            assert CAPTURED not in one.sources or one.to in {USED, SUPERSEDED, FAILED}


def test_guides_draw_the_states_as_they_are() -> None:
    assert len(state_diagrams.PAGES) == 2
    for path in state_diagrams.PAGES:
        page = path.read_text(encoding="utf-8")
        assert len(state_diagrams.DRAWN.findall(page)) == page.count("```mermaid\n") == 2
        assert state_diagrams.drawn(page) == page, "python -m tests.support.state_diagrams"


def test_diagrams_show_arrows_that_are_there() -> None:
    for usual, all_of_them in (
        (state_diagrams.USUAL_ENROLMENTS, state_diagrams.enrolments()),
        (state_diagrams.USUAL_CAPTURES, state_diagrams.captures()),
    ):
        assert [edge for edge, name in usual.items() if name not in all_of_them.get(edge, ())] == []
        assert {state for edge in usual for state in edge} == {state for edge in all_of_them for state in edge}
