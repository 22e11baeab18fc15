"""What once went wrong, each by its name: passwords, names, faces and files that a conversation came back to."""

import pytest

from hikflask.isapi.errors import LoginRefused
from hikflask.services.core.errors import LoginStopped
from hikflask.services.enrolments import queries
from hikflask.services.enrolments.reconcile import reconcile
from tests.invariants.actions import Actions
from tests.invariants.properties import EVERYTHING, Properties, is_green
from tests.invariants.steps import (
    IVAN,
    MODIFY,
    PICTURE,
    RECORD,
    SET_UP,
    enrolled,
    face_there,
    finish,
    once,
    saved,
)
from tests.invariants.world import World

by_url = pytest.mark.parametrize("world", ["K1T343EFWX"], indirect=True)
by_picture = pytest.mark.parametrize("world", ["K1T342MX-E1"], indirect=True)
one_by_one = pytest.mark.parametrize("world", ["K1T343EFWX", "K1T342MX-E1", "K1T341CMFW"], indirect=True)


@one_by_one
@pytest.mark.parametrize("path", [RECORD, SET_UP, PICTURE])
def test_password_changed_in_the_middle_costs_one_refusal(
    world: World, actions: Actions, properties: Properties, path: str
) -> None:
    saved(world, actions)
    once(world, "after", path, lambda: actions.change_password(1))

    actions.settle(IVAN)
    actions.settle(IVAN)
    world.let_time_pass()
    actions.sweep()

    struck = properties.allowed_refusals
    assert world.simulated[0].wrong_passwords == struck
    assert not struck or not is_green(world.sql(EVERYTHING)[0])


@one_by_one
@pytest.mark.parametrize("path", [RECORD, SET_UP])
def test_corrected_password_brings_back_what_it_had_stopped(
    world: World, actions: Actions, properties: Properties, path: str
) -> None:
    photo = saved(world, actions)
    once(world, "after", path, lambda: actions.change_password(1))
    actions.settle(IVAN)
    actions.settle(IVAN)
    assert world.sql(EVERYTHING)[0]["refusal_code"] == "wrong_password"

    actions.correct_password(1)
    actions.sweep()

    assert is_green(world.sql(EVERYTHING)[0])
    assert face_there(world) == photo
    finish(world, actions, properties)


@one_by_one
def test_each_change_of_the_password_costs_one_refusal(world: World, actions: Actions, properties: Properties) -> None:
    for refusals in (1, 2, 3):
        saved(world, actions)
        actions.settle(IVAN)
        actions.change_password(1)
        actions.settle(IVAN, again=True)
        actions.settle(IVAN, again=True)
        assert world.simulated[0].wrong_passwords == refusals
        actions.correct_password(1)
    finish(world, actions, properties)


@one_by_one
def test_locked_account_is_tried_again_when_the_lock_has_ended(
    world: World, actions: Actions, properties: Properties
) -> None:
    saved(world, actions)
    world.simulated[0].login.lock(600)
    actions.settle(IVAN)
    row = world.sql(EVERYTHING)[0]
    assert (row["refusal_code"], row["person"], row["next_attempt_at"] is not None) == ("locked", "pending", True)

    world.let_time_pass()
    actions.sweep()

    assert is_green(world.sql(EVERYTHING)[0])
    finish(world, actions, properties)


@one_by_one
def test_rename_that_was_answered_ok_and_not_done_is_still_ours(
    world: World, actions: Actions, properties: Properties
) -> None:
    enrolled(world, actions)
    actions.rename(IVAN)
    world.simulated[0].faults.add("ok-without-effect", path=MODIFY, times=1)
    actions.settle(IVAN)
    assert world.sql(EVERYTHING)[0]["refusal_code"] == "name_not_verified"

    actions.settle(IVAN)

    assert is_green(world.sql(EVERYTHING)[0])
    finish(world, actions, properties)


@one_by_one
@pytest.mark.parametrize("kind", ["lost-before", "lost-after", "ok-without-effect"])
def test_whoever_leaves_under_a_name_that_was_never_proven_is_removed(
    world: World, actions: Actions, properties: Properties, kind: str
) -> None:
    enrolled(world, actions)
    actions.rename(IVAN)
    world.simulated[0].faults.add(kind, path=MODIFY, times=1)
    actions.settle(IVAN)
    actions.rename(IVAN)
    actions.set_active(IVAN, active=False)

    actions.settle(IVAN)

    assert IVAN not in world.simulated[0].people
    finish(world, actions, properties)


@by_url
def test_old_face_does_not_count_when_record_and_face_are_answered_ok_and_not_done(
    world: World, actions: Actions, properties: Properties
) -> None:
    """Firmware that answers Record with OK for a number that is there already hides that a face was there."""
    first = enrolled(world, actions)
    saved(world, actions)
    world.simulated[0].faults.add("ok-without-effect", path=RECORD, times=1)
    world.simulated[0].faults.add("ok-without-effect", path=SET_UP, times=1)

    actions.settle(IVAN)

    assert face_there(world) == first
    assert not is_green(world.sql(EVERYTHING)[0])
    finish(world, actions, properties)


@one_by_one
def test_face_refused_for_good_keeps_its_reason_while_the_terminal_is_away(
    world: World, actions: Actions, properties: Properties
) -> None:
    saved(world, actions)
    world.simulated[0].faults.add("refuse", "SubpicAnalysisModelingError", path=SET_UP, times=1)
    world.simulated[0].faults.add("lost-before", path="UserInfo/Search", times=1)
    actions.settle(IVAN)

    world.let_time_pass()
    actions.sweep()

    row = world.sql(EVERYTHING)[0]
    assert (row["person"], row["face"], row["refusal_code"]) == ("confirmed", "refused", "subpicanalysismodelingerror")
    finish(world, actions, properties)


@by_url
@pytest.mark.parametrize("replace", [False, True])
def test_old_face_does_not_turn_green_for_a_new_one_that_was_superseded(
    world: World, actions: Actions, properties: Properties, replace: bool
) -> None:
    first = enrolled(world, actions)
    saved(world, actions)
    world.simulated[0].capture_elsewhere(world.pictures.new())
    actions.settle(IVAN)
    actions.try_again(IVAN, replace=replace)

    actions.settle(IVAN)

    assert face_there(world) == first
    row = world.sql(EVERYTHING)[0]
    assert (row["face"], row["refusal_code"]) == ("refused", "superseded")
    finish(world, actions, properties)


@one_by_one
def test_overwriting_our_own_record_does_not_take_the_face_off(
    world: World, actions: Actions, properties: Properties
) -> None:
    photo = enrolled(world, actions)
    world.simulated[0].restart()

    actions.sync(0, IVAN, 1, overwrite=True)

    assert is_green(world.sql(EVERYTHING)[0])
    assert face_there(world) == photo
    finish(world, actions, properties)


@one_by_one
def test_proof_that_gets_no_answer_leaves_what_was_confirmed(
    world: World, actions: Actions, properties: Properties
) -> None:
    enrolled(world, actions)
    world.wire.away.add("terminal0.test")

    actions.settle(IVAN, again=True)

    row = world.sql(EVERYTHING)[0]
    assert (is_green(row), row["refusal_code"], row["next_attempt_at"]) == (True, "", None)
    world.wire.away.clear()
    finish(world, actions, properties)


@one_by_one
def test_stranger_found_by_a_repeated_proof_is_said(world: World, actions: Actions, properties: Properties) -> None:
    enrolled(world, actions)
    actions.hand("other name", IVAN, 1)

    actions.settle(IVAN, again=True)

    row = world.sql(EVERYTHING)[0]
    assert (row["person"], row["face"], row["refusal_code"]) == ("refused", "pending", "employeenoalreadyexist")
    finish(world, actions, properties)


@by_picture
def test_photo_that_is_gone_from_the_folder_is_said_and_nothing_is_sent(world: World, actions: Actions) -> None:
    saved(world, actions)
    (world.uploads / world.sql("SELECT file FROM photo")[0]["file"]).unlink()

    actions.settle(IVAN)

    row = world.sql(EVERYTHING)[0]
    assert (row["face"], row["refusal_code"], row["face_unverified"]) == ("refused", "file_gone", 0)
    assert face_there(world) is None


@one_by_one
def test_terminal_that_answers_a_refusal_of_ours_is_not_said_to_be_away(
    world: World, actions: Actions, properties: Properties
) -> None:
    saved(world, actions)
    actions.hand("add", IVAN, 1)
    world.sql("UPDATE terminal SET offline_since = '2026-01-01 00:00:00.000000'")

    actions.settle(IVAN)

    assert world.sql(EVERYTHING)[0]["refusal_code"] == "employeenoalreadyexist"
    assert world.sql("SELECT offline_since FROM terminal")[0]["offline_since"] is None
    finish(world, actions, properties)


@by_url
def test_wish_that_is_confirmed_and_due_is_proven_and_then_at_rest(
    world: World, actions: Actions, properties: Properties
) -> None:
    enrolled(world, actions)
    actions.try_again(IVAN, replace=False)

    actions.sweep()

    row = world.sql(EVERYTHING)[0]
    assert (is_green(row), row["next_attempt_at"]) == (True, None)
    finish(world, actions, properties)


@by_url
def test_what_is_confirmed_says_no_reason_while_its_terminal_is_stopped(
    world: World, actions: Actions, properties: Properties
) -> None:
    enrolled(world, actions)
    actions.change_password(1)
    actions.settle(IVAN, again=True)
    actions.try_again(IVAN, replace=False)

    actions.settle(IVAN)

    row = world.sql(EVERYTHING)[0]
    assert (is_green(row), row["refusal_code"]) == (True, "")
    finish(world, actions, properties)


@by_url
def test_stopped_terminal_refuses_before_the_first_request(world: World, actions: Actions) -> None:
    saved(world, actions)
    actions.change_password(1)
    enrolment_id = world.sql("SELECT id FROM enrolment")[0]["id"]
    with world.app.app_context(), pytest.raises(LoginRefused):
        reconcile(enrolment_id, "job")
    world.simulated[0].log.clear()

    with world.other.app_context(), pytest.raises(LoginStopped):
        reconcile(enrolment_id, "job")

    with world.other.app_context():
        assert queries.get_one(enrolment_id).person == "pending"
    assert world.simulated[0].log == []
