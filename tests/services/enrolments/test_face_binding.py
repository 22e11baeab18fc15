"""The bytes that were bound are proven by the terminal's file, before and after; a face in doubt is taken off again."""

from dataclasses import replace
from typing import Any

import pytest
from flask_babel import force_locale
from sqlalchemy import select, update

from hikflask.codes import refusals
from hikflask.extensions import db
from hikflask.isapi.errors import ModelingFailed, NoAnswer, Refused, SameFace
from hikflask.labels.attention import fact
from hikflask.messages import sentence
from hikflask.models import Capture, Enrolment, Terminal
from hikflask.models.capture import SUPERSEDED
from hikflask.models.enrolment import CONFIRMED, PENDING, REFUSED
from hikflask.models.terminal import BY_URL, UNKNOWN
from hikflask.services.attention import people_problems
from hikflask.services.core.errors import CaptureSuperseded, ServiceError
from hikflask.services.employees.lifecycle import send_to_terminal
from hikflask.services.employees.save import save_employee
from hikflask.services.enrolments import causes, desired, queries
from hikflask.services.enrolments.reconcile import reconcile
from hikflask.services.photos import storage
from hikflask.services.state.badges import badge_of, detail_of
from hikflask.services.terminals import checks
from hikflask.simulator import Terminal as Simulated
from hikflask.simulator.profiles import PicturePart
from tests.support.captures import FACE, IVAN, OLGA, OTHER_FACE, THIRD_FACE, capture_face
from tests.support.comparisons import desire_with_photo, enrol_with_photo
from tests.support.due import make_due
from tests.support.employees import save_capture, save_with_face
from tests.support.enrolments import desire_with_face, employee_of, enrol
from tests.support.wire import NoRemovalOfFaces

pytestmark = pytest.mark.usefixtures("context", "worker_alive")


def test_two_captures_and_one_save_bind_the_later_face(simulator: Simulated, terminal: Terminal) -> None:
    capture_face(simulator, terminal)
    second = capture_face(simulator, terminal, IVAN, THIRD_FACE)

    save_capture(second)
    settled = reconcile(queries.of_number(IVAN.number)[0].id, "operator")

    assert settled.is_confirmed
    assert simulator.faces["100222"].jpeg == THIRD_FACE


@pytest.mark.both_databases
def test_file_overwritten_before_the_bind_binds_nothing(simulator: Simulated, terminal: Terminal) -> None:
    enrolment = desire_with_face(simulator, terminal)
    simulator.capture_elsewhere(OTHER_FACE)

    with pytest.raises(CaptureSuperseded):
        reconcile(enrolment.id, "operator")

    after = queries.get_one(enrolment.id)
    assert (after.person, after.face, after.refusal_code) == (CONFIRMED, REFUSED, "superseded")
    assert "100222" not in simulator.faces
    assert not [entry for entry in simulator.log if "FDSetUp" in entry.path]
    assert db.session.execute(select(Capture.state)).scalar_one() == SUPERSEDED


def test_file_overwritten_between_first_look_and_bind_is_taken_off(simulator: Simulated, terminal: Terminal) -> None:
    enrolment = desire_with_face(simulator, terminal)
    simulator.before("FDSetUp", lambda: simulator.capture_elsewhere(OTHER_FACE))

    with pytest.raises(CaptureSuperseded):
        reconcile(enrolment.id, "operator")

    after = queries.get_one(enrolment.id)
    assert (after.face, after.face_unverified, after.next_attempt_at) == (REFUSED, False, None)
    assert "100222" not in simulator.faces


def test_file_overwritten_between_bind_and_second_look_is_taken_off(simulator: Simulated, terminal: Terminal) -> None:
    enrolment = desire_with_face(simulator, terminal)
    simulator.after("FDSetUp", lambda: simulator.capture_elsewhere(OTHER_FACE))

    with pytest.raises(CaptureSuperseded):
        reconcile(enrolment.id, "operator")

    assert queries.get_one(enrolment.id).face == REFUSED
    assert "100222" not in simulator.faces


@pytest.mark.parametrize("shows_pictures", [True, False])
def test_face_is_proven_anew_where_others_gave_the_record_the_employees_new_name(
    simulator: Simulated, terminal: Terminal, *, shows_pictures: bool
) -> None:
    enrolment = enrol(simulator, terminal)
    simulator.people["100222"]["name"] = "Пётр Петров"
    simulator.store.bind("100222", OTHER_FACE)
    simulator.capture_elsewhere(OTHER_FACE)
    if not shows_pictures:
        simulator.faults.add("refuse", "notSupport", path="/LOCALS/pic/enrlFace/*")
    save_employee(replace(IVAN, name="Пётр Петров"), employee_id=enrolment.employee_id)

    with pytest.raises(CaptureSuperseded):
        reconcile(enrolment.id, "operator")

    assert queries.get_one(enrolment.id).face != CONFIRMED


def test_file_gone_after_the_bind_is_proven_by_the_enrolled_picture(simulator: Simulated, terminal: Terminal) -> None:
    enrolment = desire_with_face(simulator, terminal)
    simulator.after("FDSetUp", simulator.restart)

    assert reconcile(enrolment.id, "operator").is_confirmed


def test_file_gone_before_the_bind_is_lost(simulator: Simulated, terminal: Terminal) -> None:
    enrolment = desire_with_face(simulator, terminal)
    simulator.restart()

    with pytest.raises(CaptureSuperseded, match=r"^file_gone$"):
        reconcile(enrolment.id, "operator")

    assert (queries.get_one(enrolment.id).face, queries.get_one(enrolment.id).refusal_code) == (REFUSED, "file_gone")


@pytest.mark.parametrize("moment", ["lost-before", "lost-after"])
def test_bind_in_doubt_whose_file_changed_is_undone(simulator: Simulated, terminal: Terminal, moment: str) -> None:
    enrolment = desire_with_face(simulator, terminal)
    simulator.before("FDSetUp", lambda: simulator.capture_elsewhere(OTHER_FACE))
    simulator.faults.add(moment, path="FDSetUp", times=1)
    with pytest.raises(NoAnswer):
        reconcile(enrolment.id, "operator")
    assert queries.get_one(enrolment.id).face_unverified

    with pytest.raises(CaptureSuperseded):
        reconcile(enrolment.id, "operator")

    assert (queries.get_one(enrolment.id).face, queries.get_one(enrolment.id).face_unverified) == (REFUSED, False)
    assert "100222" not in simulator.faces


@pytest.mark.parametrize("gone", [True, False])
def test_what_the_terminal_contradicts_is_not_green_though_the_next_answer_is_lost(
    simulator: Simulated, terminal: Terminal, gone: bool
) -> None:
    enrolment = enrol(simulator, terminal)
    simulator.store.unbind(["100222"])
    if not gone:
        simulator.store.bind("100222", OTHER_FACE)
    simulator.faults.add("lost-before", path="/LOCALS/pic/web_face_enrollpic*", times=1)

    with pytest.raises(NoAnswer):
        reconcile(enrolment.id, "operator", prove_again=True)

    stopped = queries.get_one(enrolment.id)
    assert (stopped.face, stopped.is_green, stopped.next_attempt_at is not None) == (PENDING, False, True)
    make_due(enrolment.id)
    assert reconcile(enrolment.id, "operator").is_green
    assert simulator.faces["100222"].jpeg == FACE


# --- the form of a picture ---


BY_PICTURE: dict[str, Any] = {"capture_types": ("binary",), "face_by_url": False, "face_by_picture": True}
NOT_MODELLED = "SubpicAnalysisModelingError"


def take_pictures(simulator: Simulated, terminal: Terminal, **dialect: Any) -> None:
    simulator.profile = replace(simulator.profile, **BY_PICTURE, **dialect)
    checks.check(terminal.id, "test")
    simulator.log.clear()


def names_sent(simulator: Simulated) -> list[str]:
    """Return the names under which pictures were sent, and forget the requests."""
    sent = [entry.body for entry in simulator.log if entry.plain_path.endswith("FDSetUp")]
    simulator.log.clear()
    return ["FaceImage" if b'name="FaceImage"' in body else "img" for body in sent]


def remembered() -> str | None:
    return db.session.execute(select(Terminal.picture_name)).scalar_one()


@pytest.mark.both_databases
@pytest.mark.parametrize(("part", "first"), [("FaceImage", ["img", "FaceImage"]), (None, ["img"])])
def test_form_in_which_the_picture_is_found_is_remembered(
    simulator: Simulated, terminal: Terminal, part: PicturePart | None, first: list[str]
) -> None:
    take_pictures(simulator, terminal, picture_part=part, part_lengths=True)

    assert enrol(simulator, terminal).is_confirmed
    assert (names_sent(simulator), remembered()) == (first, first[-1])

    assert enrol(simulator, terminal, OLGA, OTHER_FACE).is_confirmed
    assert names_sent(simulator) == first[-1:]

    simulator.faults.add("refuse", NOT_MODELLED, path="FDSetUp", times=1, message="PicFeaturePoints")
    with pytest.raises(ModelingFailed):
        enrol(simulator, terminal, IVAN, THIRD_FACE)
    assert names_sent(simulator) == first[-1:]


@pytest.mark.both_databases
def test_form_is_not_remembered_before_the_terminal_shows_the_face(simulator: Simulated, terminal: Terminal) -> None:
    take_pictures(simulator, terminal, picture_part="FaceImage")
    enrolment = desire_with_face(simulator, terminal)
    simulator.faults.add("ok-without-effect", path="FDSetUp", times=2)
    simulator.faults.add("lost-after", path="UserInfo/Search", times=1)

    for code in ("no_answer", "face_not_verified"):
        with pytest.raises((NoAnswer, ServiceError), match=f"^{code}"):
            reconcile(enrolment.id, "operator")
        assert remembered() is None

    assert reconcile(enrolment.id, "operator").is_confirmed
    assert remembered() == "FaceImage"


@pytest.mark.parametrize(("second", "message"), [(NOT_MODELLED, "PicFeaturePoints"), ("badJsonFormat", "faceURL")])
def test_picture_that_is_found_in_no_form_is_not_modelled(
    simulator: Simulated, terminal: Terminal, second: str, message: str
) -> None:
    take_pictures(simulator, terminal)
    wanted = desire_with_face(simulator, terminal)
    simulator.faults.add("refuse", NOT_MODELLED, path="FDSetUp", times=1, message="PicFeaturePoints")
    simulator.faults.add("refuse", second, path="FDSetUp", times=1, message=message)

    with pytest.raises(ModelingFailed):
        reconcile(wanted.id, "test")

    row = queries.get_one(wanted.id)
    assert (row.face, row.refusal_code, row.face_unverified) == (REFUSED, NOT_MODELLED.lower(), False)
    assert (names_sent(simulator), remembered()) == (["img", "FaceImage"], None)


@pytest.mark.both_databases
def test_refusal_of_the_other_form_that_is_about_the_face_is_said(simulator: Simulated, terminal: Terminal) -> None:
    take_pictures(simulator, terminal, picture_part="FaceImage")
    wanted = desire_with_face(simulator, terminal)
    simulator.faults.add("refuse", NOT_MODELLED, path="FDSetUp", times=1, message="PicFeaturePoints")
    simulator.faults.add("refuse", "alreadyExistThisFace", path="FDSetUp", times=1)

    with pytest.raises(SameFace):
        reconcile(wanted.id, "test")

    assert queries.get_one(wanted.id).refusal_code == "alreadyexistthisface"


@pytest.mark.usefixtures("no_removal")
@pytest.mark.parametrize("encodes_anew", [False, True])
@pytest.mark.parametrize("mode", [BY_URL, "picture", UNKNOWN])
def test_proven_face_that_is_neither_shown_nor_taken_off_is_not_called_old_and_keeps_its_proof(
    simulator: Simulated, terminal: Terminal, mode: str, *, encodes_anew: bool
) -> None:
    if mode != BY_URL:
        take_pictures(simulator, terminal)
    enrolled = enrol(simulator, terminal) if mode == BY_URL else enrol_with_photo(terminal)
    before = (CONFIRMED, enrolled.photo_id, enrolled.confirmed_at)
    assert enrolled.is_green
    if encodes_anew:
        simulator.store.bind("100222", THIRD_FACE)
        db.session.execute(update(Enrolment).values(face_there=storage.sha256(THIRD_FACE)))
    else:
        hidden = frozenset({"faceURL"})
        no_list = frozenset({"Intelligent/FDLib/FDSearch"})
        simulator.profile = replace(simulator.profile, not_in_search=hidden, missing=no_list)
    db.session.execute(update(Terminal).values(face_mode=mode))
    db.session.commit()
    send_to_terminal(employee_of(enrolled), terminal.id)

    with pytest.raises(ServiceError, match=r"^face_not_shown$"):
        reconcile(enrolled.id, "operator", prove_again=True)

    after = queries.get_one(enrolled.id)
    assert (after.face, after.confirmed_photo_id, after.confirmed_at) == before
    assert (after.refusal_code, badge_of(after, detail_of(after))) == ("face_not_shown", REFUSED)
    assert after.next_attempt_at is None
    assert "100222" in simulator.faces
    with force_locale("ru"):
        (problem,) = people_problems.find([terminal], {terminal.id})
        assert fact(problem) == "лицо на терминале «Вход» не подтверждено"
        assert sentence(after.refusal_code) == (
            "Терминал не показывает, верное лицо на нём или прежнее, и не удаляет лица. "
            "Удалите лицо на самом терминале и повторите."
        )


@pytest.mark.usefixtures("no_removal")
def test_old_face_that_a_new_photo_cannot_replace_is_said_to_be_there(simulator: Simulated, terminal: Terminal) -> None:
    enrolled = enrol(simulator, terminal)
    simulator.faults.add("refuse", "notSupport", path="/LOCALS/pic/enrlFace/*")
    save_with_face(simulator, terminal, IVAN, OTHER_FACE)

    with pytest.raises(ServiceError, match=r"^old_face_stays$"):
        reconcile(enrolled.id, "operator")

    after = queries.get_one(enrolled.id)
    assert (after.state, after.confirmed_at, simulator.faces["100222"].jpeg) == (REFUSED, None, FACE)
    with force_locale("ru"):
        assert sentence(after.refusal_code) == (
            "Прежнее лицо осталось на терминале и открывает двери: терминал не удаляет лица. "
            "Удалите его на самом терминале."
        )


@pytest.mark.usefixtures("no_removal", "encodes_anew")
def test_right_face_that_looks_as_before_once_it_was_sent_again_is_not_called_old(
    simulator: Simulated, terminal: Terminal
) -> None:
    enrolled = enrol(simulator, terminal)
    desired.retry(enrolled.id)
    db.session.commit()

    with pytest.raises(ServiceError, match=r"^face_not_shown$"):
        reconcile(enrolled.id, "operator")

    after = queries.get_one(enrolled.id)
    assert (after.state, badge_of(after, detail_of(after))) == (REFUSED, REFUSED)
    assert causes.of(after.person, after.refusal_code) == refusals.FACE


@pytest.mark.usefixtures("no_removal")
def test_face_whose_answer_was_lost_is_not_called_old(simulator: Simulated, terminal: Terminal) -> None:
    enrolled = enrol(simulator, terminal)
    save_with_face(simulator, terminal, IVAN, OTHER_FACE)
    simulator.faults.add("lost-after", path="FDSetUp", times=1)
    with pytest.raises(NoAnswer):
        reconcile(enrolled.id, "operator")
    simulator.faults.add("refuse", "notSupport", path="/LOCALS/pic/enrlFace/*")

    with pytest.raises(ServiceError, match=r"^face_not_shown$"):
        reconcile(enrolled.id, "operator")


def test_refusal_of_a_face_blames_no_removal(
    simulator: Simulated, terminal: Terminal, no_removal: NoRemovalOfFaces
) -> None:
    take_pictures(simulator, terminal)
    enrolment = desire_with_photo(terminal)
    no_removal.takes_faces = False

    with pytest.raises(Refused) as refused:
        reconcile(enrolment.id, "operator")

    after = queries.get_one(enrolment.id)
    assert refused.value.path.endswith("FDSetUp")
    assert (after.face, after.face_unverified, after.refusal_code) == (REFUSED, False, refused.value.code)
