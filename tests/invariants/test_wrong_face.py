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

ENROLMENT = (RECORD, PICTURE, SET_UP, SEARCH)
MOMENTS = [(when, path) for path in ENROLMENT for when in ("before", "after")]

both = pytest.mark.parametrize("world", ["K1T343EFWX", "K1T342MX-E1", "K1T341CMFW"], indirect=True)
by_url = pytest.mark.parametrize("world", ["K1T343EFWX"], indirect=True)
at_each_moment = pytest.mark.parametrize(("when", "path"), MOMENTS)


@by_url
@at_each_moment
@pytest.mark.parametrize("nth", [0, 1])
def test_capture_at_the_terminals_own_page_never_gets_into_an_enrolment(
    world: World, actions: Actions, properties: Properties, when: str, path: str, nth: int
) -> None:
    photo = saved(world, actions)
    once(world, when, path, lambda: world.simulated[0].capture_elsewhere(world.pictures.new()), skip=nth)

    actions.settle(IVAN)

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


@both
@at_each_moment
@pytest.mark.parametrize("nth", [0, 1])
def test_restart_loses_nothing_and_turns_nothing_wrong_green(
    world: World, actions: Actions, properties: Properties, when: str, path: str, nth: int
) -> None:
    photo = saved(world, actions)
    once(world, when, path, world.simulated[0].restart, skip=nth)

    actions.settle(IVAN)

    finish(world, actions, properties)
    assert face_there(world) in {photo, None}
    assert world.sql(EVERYTHING)[0]["refusal_code"] in {"", "file_gone", "urldownloadfail"}


@both
@at_each_moment
@pytest.mark.parametrize("again", [False, True])
def test_worker_killed_at_any_step_leaves_a_wish_that_is_fulfilled(
    world: World, actions: Actions, properties: Properties, when: str, path: str, again: bool
) -> None:
    if again:
        enrolled(world, actions)
    photo = saved(world, actions)
    once(world, when, path, world.kill)

    actions.settle(IVAN)

    finish(world, actions, properties)
    assert is_green(world.sql(EVERYTHING)[0])
    assert face_there(world) == photo


@both
@pytest.mark.parametrize("action", ["face", "no face", "remove"])
@pytest.mark.parametrize(("when", "path"), [*MOMENTS, ("before", "FDSearch/Delete"), ("after", "FDSearch/Delete")])
def test_worker_killed_while_it_proves_again_leaves_nothing_green_that_is_not_there(
    world: World, actions: Actions, properties: Properties, action: str, when: str, path: str
) -> None:
    photo = enrolled(world, actions)
    actions.hand(action, IVAN, 1)
    once(world, when, path, world.kill)

    actions.settle(IVAN, again=True)
    properties.check()
    actions.settle(IVAN, again=True)
    world.end_leases()
    actions.settle(IVAN, again=True)

    assert is_green(world.sql(EVERYTHING)[0])
    assert face_there(world) == photo
    finish(world, actions, properties)


@both
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("path", [SEARCH, DELETE, PROCESS])
@pytest.mark.parametrize("for_good", [False, True])
def test_worker_killed_in_a_removal_leaves_it_open_until_nobody_is_there(
    world: World, actions: Actions, properties: Properties, when: str, path: str, for_good: bool
) -> None:
    enrolled(world, actions)
    actions.delete(IVAN) if for_good else actions.set_active(IVAN, active=False)
    once(world, when, path, world.kill)

    actions.settle(IVAN)

    assert world.sql("SELECT person FROM enrolment WHERE desired = 'absent'")[0]["person"] == "pending"
    finish(world, actions, properties)
    assert IVAN not in world.simulated[0].people


@both
@pytest.mark.parametrize("kind", ["lost-before", "lost-after", "restart", "drop"])
@pytest.mark.parametrize("path", [*ENROLMENT, MODIFY, "FDSearch", "FDSearch/Delete"])
@pytest.mark.parametrize("action", ["new face", "rename", "prove again"])
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

    finish(world, actions, properties)
    row = world.sql(EVERYTHING)[0]
    assert is_green(row) or row["refusal_code"] == "file_gone"


@both
@pytest.mark.parametrize("path", ENROLMENT)
@pytest.mark.parametrize("by_other", ["settle", "leave", "rename"])
def test_holder_who_was_late_writes_nothing(
    world: World, actions: Actions, properties: Properties, path: str, by_other: str
) -> None:
    """The worker stands still after an answer; meanwhile its lease ends, and another one does what is wanted."""
    photo = saved(world, actions)
    struck: list[str] = []

    def take_over() -> None:
        struck.append(by_other)
        world.end_leases()
        if by_other == "leave":
            actions.set_active(IVAN, active=False, app=world.other)
        if by_other == "rename":
            actions.rename(IVAN, world.other)
        actions.settle(IVAN, world.other)

    once(world, "after", path, take_over)

    actions.settle(IVAN)

    finish(world, actions, properties)
    assert face_there(world) == (None if struck == ["leave"] else photo)


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
