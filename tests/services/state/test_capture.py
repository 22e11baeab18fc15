"""The table of a capture's transitions: from which states each goes, and what the audit trail says of it."""

from itertools import product

import pytest

from hikflask.extensions import db
from hikflask.models import Capture, Photo, Terminal
from hikflask.models.capture import CANCELLED, CAPTURED, FAILED, QUEUED, RUNNING, SUPERSEDED, USED, WAITING
from hikflask.models.columns import database_now
from hikflask.services.core.db import transaction
from hikflask.services.state import capture as state
from hikflask.services.state.capture import Transition
from tests.support.refusals import refusal
from tests.support.trail import entries

pytestmark = [pytest.mark.usefixtures("context"), pytest.mark.both_databases]

TRANSITIONS = {name: one for name, one in vars(state).items() if isinstance(one, Transition)}
ENDED = (FAILED, CANCELLED, SUPERSEDED)


@pytest.fixture
def capture(terminal: Terminal) -> Capture:
    """A capture with a picture, to be put into any state."""
    photo = Photo(file="100222_x.jpg", sha256="0" * 64, source="capture")
    row = Capture(
        terminal_id=terminal.id, requested_by="Анна", deadline=database_now(30), photo=photo, draft_number="100222"
    )
    db.session.add(row)
    db.session.commit()
    return row


def values(transition: Transition, capture: Capture) -> dict[str, object]:
    known = {
        "photo_id": capture.photo_id,
        "deadline": database_now(9),
        "hold_until": database_now(9),
        "lease_number": 7,
        "refusal": refusal("nonsense"),
    }
    return {name: known.get(name, name) for name in transition.given}


def put_all(state_name: str) -> None:
    db.session.execute(db.update(Capture).values(state=state_name))
    db.session.commit()


def test_every_transition_is_made_from_its_states_and_from_no_other(capture: Capture) -> None:
    for (name, transition), source in product(TRANSITIONS.items(), (*RUNNING, CAPTURED, USED, *ENDED)):
        put_all(source)

        made = state.apply(transition, Capture.id == capture.id, **values(transition, capture))

        assert made == (source in transition.sources), (name, source)
        after = db.session.execute(db.select(Capture.state)).scalar_one()
        assert after == (transition.to if made else source), (name, source)
        db.session.rollback()


def test_nothing_leads_out_of_an_end() -> None:
    assert {name for name, one in TRANSITIONS.items() if set(one.sources) & set(ENDED)} == set()


def test_only_one_makes_a_picture_and_only_one_uses_it() -> None:
    leading = {
        to: {name for name, one in TRANSITIONS.items() if one.to == to != one.sources[0]} for to in (CAPTURED, USED)
    }

    assert leading == {CAPTURED: {"TAKEN"}, USED: {"SAVED"}}
    assert (state.BEGUN.sources, state.TAKEN.sources, state.SAVED.sources) == ((QUEUED,), (WAITING,), (CAPTURED,))


def test_picture_is_saved_once(capture: Capture) -> None:
    put_all(CAPTURED)

    with transaction():
        assert (state.save(capture.id), state.save(capture.id)) == (True, False)

    db.session.refresh(capture)
    assert capture.state == USED


def test_each_change_that_somebody_is_to_hear_of_is_in_the_trail(capture: Capture) -> None:
    with transaction():
        state.apply(state.FAILURE, Capture.id == capture.id, refusal=refusal("capturetimeout", text="nobody came"))

    (entry,) = entries("capture.failed")
    assert (entry.employee, entry.terminal) == ("100222", "Вход")
    assert "captureTimeout" in str(entry.after)
    assert "Анна" in str(entry.after)


def test_what_does_not_come_with_a_transition_is_refused() -> None:
    with pytest.raises(TypeError, match="deadline"):
        state.apply(state.BEGUN, deadline=database_now())


def test_picture_that_nobody_saved_leaves_nothing_of_the_draft(capture: Capture) -> None:
    put_all(CAPTURED)

    assert state.apply(state.EXPIRED, Capture.id == capture.id) == 1

    db.session.refresh(capture)
    assert (capture.state, capture.refusal, capture.photo_id) == (FAILED, refusal("not_saved"), None)
    assert capture.draft_number == ""
