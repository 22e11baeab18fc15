"""The cases by name: what comes between two steps of a conversation never turns anything green that is not true."""

import json
from collections.abc import Callable

import pytest

from tests.invariants.actions import Actions
from tests.invariants.properties import EVERYTHING, Properties, is_green
from tests.invariants.steps import (
    DELETE,
    IVAN,
    MODIFY,
    PICTURE,
    PROCESS,
    RECORD,
    SEARCH,
    SET_UP,
    enrolled,
    face_there,
    finish,
    once,
    saved,
)
from tests.invariants.world import World

FACE_OFF, FACES = "FDSearch/Delete", "FDSearch"
# The second one takes pictures, as the third, which lists nobody's faces with the people.
BY_URL, BY_PICTURE, WITHOUT_COUNTS = "K1T343EFWX", "K1T342MX-E1", "K1T341CMFW"
# What is asked for the first time somebody is enrolled: a URL is looked at before and after.
ENROLMENT = {
    BY_URL: ((RECORD, 0), (PICTURE, 0), (SET_UP, 0), (PICTURE, 1), (SEARCH, 0)),
    BY_PICTURE: ((RECORD, 0), (SET_UP, 0), (SEARCH, 0)),
    WITHOUT_COUNTS: ((RECORD, 0), (SET_UP, 0), (SEARCH, 0), (FACES, 0)),
}
# What is asked for a change of somebody who is there.
CHANGES = {
    "new face": (PICTURE, SET_UP, SEARCH),
    "rename": (MODIFY, SEARCH),
    "prove again": (PICTURE, FACE_OFF, SET_UP, SEARCH),
}
PROOFS = {
    "face": (PICTURE, FACE_OFF, SET_UP, SEARCH),
    "no face": (SET_UP, SEARCH),
    "remove": (RECORD, SET_UP, SEARCH),
}

by_url = pytest.mark.parametrize("world", [BY_URL], indirect=True)
both = pytest.mark.parametrize("world", [BY_URL, WITHOUT_COUNTS], indirect=True)
before_and_after = pytest.mark.parametrize("when", ["before", "after"])
at_each_request = pytest.mark.parametrize(
    ("world", "path", "nth"),
    [(name, path, nth) for name, requests in ENROLMENT.items() for path, nth in requests],
    indirect=["world"],
)


@by_url
@before_and_after
@pytest.mark.parametrize(("path", "nth"), ENROLMENT[BY_URL])
def test_capture_at_the_terminals_own_page_never_gets_into_an_enrolment(
    world: World, actions: Actions, properties: Properties, when: str, path: str, nth: int
) -> None:
    photo = saved(world, actions)
    struck = once(world, when, path, lambda: world.simulated[0].capture_elsewhere(world.pictures.new()), skip=nth)

    actions.settle(IVAN)

    assert struck
    row = world.sql(EVERYTHING)[0]
    assert (row["face"], face_there(world), row["refusal_code"]) in {
        ("confirmed", photo, ""),
        ("refused", None, "superseded"),
    }
    finish(world, actions, properties)


@by_url
def test_capture_at_the_terminals_own_page_between_preview_and_save_binds_nothing(
    world: World, actions: Actions, properties: Properties
) -> None:
    capture_id = actions.capture(0, IVAN, 1, take_over=True)
    world.simulated[0].capture_elsewhere(world.pictures.new())
    actions.save_capture(capture_id)

    actions.settle(IVAN)

    assert world.sql(EVERYTHING)[0]["refusal_code"] == "superseded"
    assert face_there(world) is None
    finish(world, actions, properties)


@at_each_request
@before_and_after
def test_restart_loses_nothing_and_turns_nothing_wrong_green(
    world: World, actions: Actions, properties: Properties, when: str, path: str, nth: int
) -> None:
    photo = saved(world, actions)
    struck = once(world, when, path, world.simulated[0].restart, skip=nth)

    actions.settle(IVAN)

    assert struck
    finish(world, actions, properties)
    assert face_there(world) in {photo, None}
    assert world.sql(EVERYTHING)[0]["refusal_code"] in {"", "file_gone", "urldownloadfail"}


@at_each_request
@before_and_after
def test_worker_killed_at_any_step_leaves_a_wish_that_is_fulfilled(
    world: World, actions: Actions, properties: Properties, when: str, path: str, nth: int
) -> None:
    photo = saved(world, actions)
    struck = once(world, when, path, world.kill, skip=nth)

    actions.settle(IVAN)

    assert struck
    finish(world, actions, properties)
    assert is_green(world.sql(EVERYTHING)[0])
    assert face_there(world) == photo


@both
@before_and_after
@pytest.mark.parametrize("path", CHANGES["new face"])
def test_worker_killed_while_it_sends_a_new_face_leaves_a_wish_that_is_fulfilled(
    world: World, actions: Actions, properties: Properties, when: str, path: str
) -> None:
    enrolled(world, actions)
    photo = saved(world, actions)
    struck = once(world, when, path, world.kill)

    actions.settle(IVAN)

    assert struck
    finish(world, actions, properties)
    assert is_green(world.sql(EVERYTHING)[0])
    assert face_there(world) == photo


@both
@before_and_after
@pytest.mark.parametrize(("action", "path"), [(action, path) for action, paths in PROOFS.items() for path in paths])
def test_worker_killed_while_it_proves_again_leaves_nothing_green_that_is_not_there(
    world: World, actions: Actions, properties: Properties, action: str, when: str, path: str
) -> None:
    photo = enrolled(world, actions)
    actions.hand(action, IVAN, 1)
    struck = once(world, when, path, world.kill)

    actions.settle(IVAN, again=True)
    properties.check()
    actions.settle(IVAN, again=True)
    world.end_leases()
    actions.settle(IVAN, again=True)

    assert struck
    assert is_green(world.sql(EVERYTHING)[0])
    assert face_there(world) == photo
    finish(world, actions, properties)


@by_url
@before_and_after
@pytest.mark.parametrize("path", [SEARCH, DELETE, PROCESS])
@pytest.mark.parametrize("for_good", [False, True])
def test_worker_killed_in_a_removal_leaves_it_open_until_nobody_is_there(
    world: World, actions: Actions, properties: Properties, when: str, path: str, for_good: bool
) -> None:
    enrolled(world, actions)
    actions.delete(IVAN) if for_good else actions.set_active(IVAN, active=False)
    struck = once(world, when, path, world.kill)

    actions.settle(IVAN)

    assert struck
    assert world.sql("SELECT person FROM enrolment WHERE desired = 'absent'")[0]["person"] == "pending"
    finish(world, actions, properties)
    assert IVAN not in world.simulated[0].people


@both
@pytest.mark.parametrize("kind", ["lost-before", "lost-after", "restart"])
@pytest.mark.parametrize(("action", "path"), [(action, path) for action, paths in CHANGES.items() for path in paths])
def test_lost_answer_in_a_change_ends_with_what_is_wanted(
    world: World, actions: Actions, properties: Properties, kind: str, path: str, action: str
) -> None:
    enrolled(world, actions)
    changes: dict[str, Callable[[], object]] = {
        "new face": lambda: saved(world, actions),
        "rename": lambda: actions.rename(IVAN),
        "prove again": lambda: actions.hand("face", IVAN, 1),
    }
    changes[action]()
    world.simulated[0].faults.add(kind, path=path, times=1)

    actions.settle(IVAN, again=action == "prove again")

    assert world.simulated[0].faults.active == []
    finish(world, actions, properties)
    row = world.sql(EVERYTHING)[0]
    assert is_green(row) or row["refusal_code"] == "file_gone"


@at_each_request
@pytest.mark.parametrize("by_other", ["settle", "leave", "rename"])
def test_holder_who_was_late_writes_nothing(
    world: World, actions: Actions, properties: Properties, path: str, nth: int, by_other: str
) -> None:
    """The worker stands still after an answer; meanwhile its lease ends, and another one does what is wanted."""
    photo = saved(world, actions)

    def take_over() -> None:
        world.end_leases()
        if by_other == "leave":
            actions.set_active(IVAN, active=False, app=world.other)
        if by_other == "rename":
            actions.rename(IVAN, world.other)
        actions.settle(IVAN, world.other)

    struck = once(world, "after", path, take_over, skip=nth)

    actions.settle(IVAN)

    assert struck
    finish(world, actions, properties)
    assert face_there(world) == (None if by_other == "leave" else photo)


@both
def test_number_that_somebody_took_while_the_answer_was_lost_is_not_touched(
    world: World, actions: Actions, properties: Properties
) -> None:
    saved(world, actions)
    world.simulated[0].faults.add("lost-before", path=RECORD, times=1)
    actions.settle(IVAN)
    actions.hand("add", IVAN, 1)

    actions.settle(IVAN)

    row = world.sql(EVERYTHING)[0]
    assert (row["person"], row["face"], json.loads(row["refusal"])["params"]["name"]) == (
        "refused",
        "pending",
        "Чужой Человек",
    )
    assert face_there(world) is None
    assert world.simulated[0].people[IVAN]["name"] == "Чужой Человек"
    finish(world, actions, properties)
