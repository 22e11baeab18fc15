"""Every terminal there is goes the whole way: checked, captured, saved, green, captured anew, removed."""

import io

import pytest

from hikflask.extensions import db
from hikflask.models import Terminal
from hikflask.models.terminal import BY_PICTURE, BY_URL
from hikflask.services.captures.drafts import Draft
from hikflask.services.core.errors import NameTooLong
from hikflask.services.employees.lifecycle import send_to_terminal
from hikflask.services.employees.save import FaceSource, save_employee
from hikflask.services.terminals import checks
from tests.invariants.actions import Actions
from tests.invariants.properties import EVERYTHING, Properties, is_green
from tests.invariants.world import World
from tests.support.removals import open_removals

IVAN = "1001"


@pytest.fixture
def actions(world: World) -> Actions:
    return Actions(world, Properties(world))


def enrol(world: World, actions: Actions) -> bytes:
    """Capture, save and settle; return the picture that was shown."""
    capture_id = actions.capture(0, IVAN, 1, take_over=True)
    taken = world.sql("SELECT state, file FROM capture c JOIN photo p ON p.id = c.photo_id WHERE c.id = ?", capture_id)
    shown: bytes = (world.uploads / taken[0]["file"]).read_bytes()
    actions.save_capture(capture_id)
    actions.settle(IVAN)
    return shown


def is_confirmed(world: World) -> bool:
    return is_green(world.sql(EVERYTHING)[0])


def requests(world: World, path: str) -> list[bytes]:
    """Return the bodies of the requests to a path that the terminal acted on."""
    return [entry.body for entry in world.simulated[0].log if entry.plain_path.endswith(path) and entry.logged_in]


def test_face_goes_as_the_capabilities_say(world: World, actions: Actions) -> None:
    with world.app.app_context():
        checked = checks.check(1, "test")

    shown = enrol(world, actions)

    profile = world.profiles[0]
    assert (checked.model, checked.firmware) == (profile.model, profile.firmware)
    assert checked.face_mode == (BY_URL if "url" in profile.capture_types and profile.face_by_url else BY_PICTURE)
    assert checked.name_bytes == profile.name_bytes
    assert is_confirmed(world)
    assert world.simulated[0].faces[IVAN].jpeg == shown
    assert (shown in requests(world, "FDSetUp")[0]) == (checked.face_mode == BY_PICTURE)


def test_happy_way_is_five_requests_by_url_and_three_by_picture(world: World, actions: Actions) -> None:
    capture_id = actions.capture(0, IVAN, 1, take_over=True)
    actions.save_capture(capture_id)
    world.simulated[0].log.clear()

    actions.settle(IVAN)

    acted = [entry for entry in world.simulated[0].log if entry.logged_in]
    sent = [entry.plain_path.rpartition("/")[2].partition("@")[0] for entry in acted]
    by_url = world.sql("SELECT face_mode FROM terminal")[0]["face_mode"] == BY_URL
    looks = ["web_face_enrollpic.jpg"] if by_url else []
    counted = ["Search", "FDSearch"] if "numOfFace" in world.profiles[0].not_in_search else ["Search"]
    forms = 2 if world.profiles[0].picture_part == "FaceImage" else 1  # The usual one is tried first.
    assert sent == ["Record", *looks, *["FDSetUp"] * forms, *looks, *counted]


def test_new_face_takes_the_place_of_the_old_one(world: World, actions: Actions) -> None:
    first = enrol(world, actions)

    second = enrol(world, actions)

    assert first != second
    assert is_confirmed(world)
    assert world.simulated[0].faces[IVAN].jpeg == second


def test_new_face_that_is_not_put_is_not_green(world: World, actions: Actions) -> None:
    enrol(world, actions)
    world.simulated[0].faults.add("ok-without-effect", path="FDSetUp", times=1)

    second = enrol(world, actions)

    assert not is_confirmed(world)
    actions.settle(IVAN)
    assert is_confirmed(world)
    assert world.simulated[0].faces[IVAN].jpeg == second


def test_proof_is_repeated_without_touching_a_face_that_is_right(world: World, actions: Actions) -> None:
    shown = enrol(world, actions)
    world.simulated[0].restart()
    world.simulated[0].log.clear()

    actions.settle(IVAN, again=True)

    assert is_confirmed(world)
    assert world.simulated[0].faces[IVAN].jpeg == shown
    assert requests(world, "FDSetUp") == []


def test_face_that_hands_replaced_is_put_right_by_the_next_proof(world: World, actions: Actions) -> None:
    shown = enrol(world, actions)
    actions.hand("face", IVAN, 1)

    actions.settle(IVAN, again=True)

    assert is_confirmed(world)
    assert world.simulated[0].faces[IVAN].jpeg == shown


def test_removal_leaves_nobody(world: World, actions: Actions) -> None:
    enrol(world, actions)
    actions.set_active(IVAN, active=False)

    actions.settle(IVAN)

    assert IVAN not in world.simulated[0].people
    assert IVAN not in world.simulated[0].faces
    with world.app.app_context():
        assert open_removals() == []


def test_name_of_the_last_byte_fits(world: World, actions: Actions) -> None:
    name = longest_name(world)
    with world.app.app_context():
        employee = save_employee(Draft(IVAN, name)).row
        send_to_terminal(employee.id, 1)

    actions.settle(IVAN)

    assert world.simulated[0].people[IVAN]["name"] == name


def test_name_of_one_letter_more_is_cut(world: World, actions: Actions) -> None:
    with world.app.app_context():
        employee = save_employee(Draft(IVAN, longest_name(world) + "я")).row
        send_to_terminal(employee.id, 1)

    actions.settle(IVAN)

    assert world.simulated[0].people[IVAN]["name"] == longest_name(world)
    assert world.sql(EVERYTHING)[0]["person"] == "confirmed"


def test_name_too_long_for_a_terminal_that_was_never_checked_is_cut_after_the_check(
    world: World, actions: Actions
) -> None:
    with world.app.app_context():
        employee = save_employee(Draft(IVAN, longest_name(world) + "я")).row
        db.session.execute(db.update(Terminal).values(face_mode=None, capture_mode=None, name_bytes=None))
        db.session.commit()
        send_to_terminal(employee.id, 1)

    actions.settle(IVAN)

    assert world.simulated[0].people[IVAN]["name"] == longest_name(world)
    assert len(requests(world, "UserInfo/Record")) == 1


def test_name_of_which_not_one_letter_fits_is_refused_before_anything_is_sent(world: World) -> None:
    world.simulated[0].log.clear()
    with world.app.app_context():
        employee = save_employee(Draft(IVAN, "Ы" + "\u0301" * 99)).row

        with pytest.raises(NameTooLong) as refused:
            send_to_terminal(employee.id, 1)

    assert refused.value.params["limit"] == world.profiles[0].name_bytes
    assert world.simulated[0].log == []


def longest_name(world: World) -> str:
    """A Cyrillic name of exactly as many bytes as the terminal takes."""
    return "Ы" * (world.profiles[0].name_bytes // 2)


def test_face_from_a_file_reaches_the_terminals_that_take_pictures(world: World, actions: Actions) -> None:

    with world.app.app_context():
        source = FaceSource(upload=io.BytesIO(world.pictures.new()), terminal_id=1)
        save_employee(Draft(IVAN, "Иван Иванов"), source)

    actions.settle(IVAN)

    row = world.sql(EVERYTHING)[0]
    if world.sql("SELECT face_mode FROM terminal")[0]["face_mode"] == BY_PICTURE:
        assert is_green(row)
        assert world.simulated[0].faces[IVAN].sha256 == row["confirmed_sha256"]
    else:
        assert (row["person"], row["face"], row["refusal_code"]) == ("confirmed", "refused", "files_not_taken")
        assert world.simulated[0].faces == {}
