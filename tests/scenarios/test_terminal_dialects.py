"""Terminals that tell less than the seed terminal, or say it in other words, on real sockets: nothing blocks work."""

import dataclasses
import io
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from flask import Flask
from flask_babel import force_locale

from hikflask.extensions import db
from hikflask.isapi.errors import CaptureNotSupported, LoginRefused, NotSupported
from hikflask.labels.enrolments import status_of
from hikflask.models import Enrolment, Terminal
from hikflask.models.capture import CAPTURED, FAILED
from hikflask.models.enrolment import CONFIRMED, REFUSED
from hikflask.services.captures.drafts import Draft
from hikflask.services.captures.lifecycle import start_capture
from hikflask.services.captures.runner import run_capture
from hikflask.services.core.errors import LoginStopped
from hikflask.services.employees.lifecycle import send_to_terminal, set_active
from hikflask.services.employees.save import FaceSource, save_employee
from hikflask.services.enrolments import queries
from hikflask.services.enrolments.reconcile import reconcile
from hikflask.services.terminals import checks, registry
from hikflask.services.terminals.checks import ask_status
from hikflask.services.terminals.registry import Access
from hikflask.simulator import SimulatorServer
from hikflask.simulator import Terminal as Simulated
from hikflask.simulator.profiles import PROFILES, SEED, LockWords, Profile
from tests.conftest import PASSWORD
from tests.support.captures import FACE, IVAN, OTHER_FACE, capture_face
from tests.support.enrolments import employee_of, enrol
from tests.support.refusals import refusal

pytestmark = [pytest.mark.usefixtures("context", "worker_alive"), pytest.mark.long]

QUICK = dataclasses.replace(SEED, refuse_after_success=0)
OPTIONAL = frozenset(
    {
        "AccessControl/UserInfo/Count",
        "AccessControl/UserInfo/capabilities",
        "AccessControl/CaptureFaceData/capabilities",
        "Intelligent/FDLib/capabilities",
        "Intelligent/FDLib/Count",
        "System/status",
    }
)

Put = Callable[[Profile], tuple[Simulated, Terminal]]


@pytest.fixture
def put(app: Flask) -> Iterator[Put]:
    """Put up a simulated terminal on a socket of its own; it is added, and nothing is asked yet."""
    del app.extensions["terminal_transport"]
    with ExitStack() as servers:

        def up(profile: Profile) -> tuple[Simulated, Terminal]:
            simulated = Simulated(PASSWORD, profile=dataclasses.replace(profile, refuse_after_success=0))
            server = servers.enter_context(SimulatorServer(simulated))
            return simulated, registry.add(Access(f"Вход {server.port}", server.url, "admin", PASSWORD))

        yield up


def is_green(enrolment: Enrolment) -> bool:
    return enrolment.is_green and enrolment.confirmed_photo_id == enrolment.photo_id


def asked(simulated: Simulated, path: str) -> int:
    return sum(entry.plain_path.endswith(path) and entry.status is not None for entry in simulated.log)


# What is not told is not known, and stops nothing.


@pytest.mark.parametrize("name", ["K1T343EFWX", "K1T341CMFW"])
def test_a_terminal_without_any_optional_call_enrols_and_removes(put: Put, name: str) -> None:
    simulated, terminal = put(dataclasses.replace(PROFILES[name], missing=OPTIONAL))

    checked = checks.check(terminal.id, "test")
    told = checked.capture_mode, checked.face_mode, checked.face_calls, checked.people, checked.face_capacity
    status = ask_status(terminal.id, "test")
    enrolled = enrol(simulated, terminal)

    assert told == ("unknown", "unknown", None, None, None)
    assert (status.reachable, status.login, status.people, status.capacity) == (True, True, None, None)
    assert is_green(enrolled)
    assert simulated.faces[IVAN.number].jpeg == FACE
    by_url = PROFILES[name].face_by_url
    db.session.refresh(terminal)
    assert (terminal.capture_mode, terminal.face_mode) == (("url", "url") if by_url else ("binary", "picture"))

    set_active(employee_of(enrolled), False)
    reconcile(enrolled.id, "test")
    assert simulated.people == {}


def test_what_was_tried_is_remembered_by_the_next_check(put: Put) -> None:
    simulated, terminal = put(dataclasses.replace(PROFILES["K1T341CMFW"], missing=OPTIONAL))
    enrol(simulated, terminal)
    simulated.log.clear()

    checked = checks.check(terminal.id, "test")
    second = capture_face(simulated, terminal, Draft("100333", "Ольга", ""))

    assert (checked.capture_mode, checked.face_mode, second.state) == ("binary", "picture", CAPTURED)
    assert [b">url<" in entry.body for entry in simulated.log if entry.plain_path.endswith("FaceData")] == [False]


def test_a_terminal_that_knows_no_capture_says_so_and_is_asked_no_more(put: Put) -> None:
    simulated, terminal = put(
        dataclasses.replace(SEED, missing=frozenset({*OPTIONAL, "AccessControl/CaptureFaceData"}))
    )

    ended = run_capture(start_capture(terminal.id, IVAN, "Анна").id)
    tries = asked(simulated, "CaptureFaceData")
    again = run_capture(start_capture(terminal.id, IVAN, "Анна").id)

    assert [(one.state, one.refusal_code) for one in (ended, again)] == [(FAILED, CaptureNotSupported.own_code)] * 2
    assert (tries, asked(simulated, "CaptureFaceData")) == (2, 2)
    assert checks.check(terminal.id, "test").capture_mode == "unknown"


def test_a_file_goes_as_a_picture_where_nothing_says_that_it_cannot(put: Put) -> None:
    simulated, terminal = put(dataclasses.replace(PROFILES["K1T341CMFW"], missing=OPTIONAL))
    saved = save_employee(IVAN, FaceSource(upload=io.BytesIO(FACE))).row
    wanted = send_to_terminal(saved.id, terminal.id).row

    assert is_green(reconcile(wanted.id, "test"))
    assert IVAN.number in simulated.faces


def test_a_picture_answered_like_an_address_is_followed_by_the_address(put: Put) -> None:
    simulated, terminal = put(dataclasses.replace(SEED, missing=OPTIONAL))
    simulated.faults.add("refuse", "urlDownloadFail", path="FDSetUp", times=1)

    assert is_green(enrol(simulated, terminal))
    assert simulated.faces[IVAN.number].jpeg == FACE


def test_a_file_that_an_unknown_terminal_refuses_stays_here_and_is_not_called_too_large(put: Put) -> None:
    simulated, terminal = put(dataclasses.replace(SEED, missing=OPTIONAL))
    simulated.faults.add("refuse", "badJsonFormat", path="FDSetUp", times=1, message="faceURL")
    saved = save_employee(IVAN, FaceSource(upload=io.BytesIO(FACE))).row

    settled = reconcile(send_to_terminal(saved.id, terminal.id).row.id, "test")

    assert (settled.person, settled.face, settled.refusal_code) == (CONFIRMED, REFUSED, "files_not_taken")
    assert simulated.faces == {}


# Only CaptureFaceData can say that this model cannot capture.


@pytest.mark.parametrize(
    ("missing", "function", "sentence"),
    [
        (
            "System/deviceInfo",
            "System/deviceInfo",
            "Терминал не поддерживает: System/deviceInfo (проверка терминала).",
        ),
        (
            "AccessControl/UserInfo/Record",
            "UserInfo/Record",
            "Терминал не поддерживает: UserInfo/Record (запись сотрудника).",
        ),
        ("Intelligent/FDLib/FDSetUp", "FDLib/FDSetUp", "Терминал не поддерживает: FDLib/FDSetUp (привязка лица)."),
    ],
)
def test_a_function_that_is_missing_is_named(app: Flask, put: Put, missing: str, function: str, sentence: str) -> None:
    simulated, terminal = put(SEED)
    taken = capture_face(simulated, terminal)
    db.session.execute(db.update(Terminal).values(face_mode=None))
    db.session.commit()
    simulated.profile = dataclasses.replace(simulated.profile, missing=frozenset({missing}))
    save_employee(IVAN, FaceSource(taken.id, taken.requested_by))
    wanted = queries.of_number(IVAN.number)[0]

    with pytest.raises(NotSupported) as refused:
        reconcile(wanted.id, "test")

    row = queries.get_one(wanted.id)
    assert (refused.value.params["text"], row.refusal) == (
        function,
        refusal("function_not_supported", text=function),
    )
    with app.test_request_context(), force_locale("ru"):
        assert status_of(row).reason == sentence


def test_a_capture_that_fails_at_the_check_names_the_check(put: Put) -> None:
    _, terminal = put(dataclasses.replace(SEED, missing=frozenset({"System/deviceInfo"})))

    ended = run_capture(start_capture(terminal.id, IVAN, "Анна").id)

    assert ended.refusal == refusal("function_not_supported", text="System/deviceInfo")


# FDSetUp is not everywhere.

OLDER = dataclasses.replace(PROFILES["K1T341AMF"], set_up=False, refusals_as_200=False)
LISTED = "post,delete,get,put"


@pytest.mark.parametrize("functions", [LISTED, ""])
@pytest.mark.parametrize("url", [True, False])
def test_without_fdsetup_faces_go_by_the_older_calls_with_the_same_proof(put: Put, functions: str, url: bool) -> None:
    older = dataclasses.replace(OLDER, fd_functions=functions, capture_types=("url",) if url else ("binary",))
    simulated, terminal = put(older)

    first = enrol(simulated, terminal)
    added = asked(simulated, "FaceDataRecord"), asked(simulated, "FDModify"), asked(simulated, "FDSetUp")
    second = enrol(simulated, terminal, face=OTHER_FACE)

    assert is_green(first)
    assert is_green(second)
    assert simulated.faces[IVAN.number].jpeg == OTHER_FACE
    db.session.refresh(terminal)
    assert terminal.face_calls == "add_or_replace"
    tried = 0 if functions else 1
    assert added == (1, 0, tried)
    assert asked(simulated, "FDModify") == 1
    assert asked(simulated, "FDSetUp") == tried


def test_an_older_call_that_did_nothing_is_not_green(put: Put) -> None:
    simulated, terminal = put(dataclasses.replace(OLDER, fd_functions=LISTED))
    taken = capture_face(simulated, terminal)
    simulated.faults.add("ok-without-effect", path="FaceDataRecord", times=1)
    save_employee(IVAN, FaceSource(taken.id, taken.requested_by))
    wanted = queries.of_number(IVAN.number)[0]

    with pytest.raises(Exception, match=r"verified|proven"):
        reconcile(wanted.id, "test")

    assert queries.get_one(wanted.id).face != CONFIRMED
    assert is_green(reconcile(wanted.id, "test"))


def test_where_fdsetup_is_listed_nothing_else_is_tried(put: Put) -> None:
    simulated, terminal = put(dataclasses.replace(SEED, missing=frozenset({"Intelligent/FDLib/FDSetUp"})))
    taken = capture_face(simulated, terminal)
    save_employee(IVAN, FaceSource(taken.id, taken.requested_by))
    wanted = queries.of_number(IVAN.number)[0]

    with pytest.raises(NotSupported):
        reconcile(wanted.id, "test")

    assert asked(simulated, "FaceDataRecord") + asked(simulated, "FDModify") == 0
    assert queries.get_one(wanted.id).face == REFUSED


# Modify is not a PUT everywhere.


def test_changes_go_by_post_where_put_is_not_allowed_and_that_is_remembered(
    simulator: Simulated, terminal: Terminal
) -> None:
    simulator.profile = dataclasses.replace(simulator.profile, modify_method="POST")
    enrolment = enrol(simulator, terminal)
    simulator.log.clear()

    for name in ("Иван Петров", "Иван Сидоров"):
        save_employee(dataclasses.replace(IVAN, name=name), employee_id=enrolment.employee_id)
        assert is_green(reconcile(enrolment.id, "test"))
        assert simulator.people[IVAN.number]["name"] == name

    sent = [entry.method for entry in simulator.log if entry.plain_path.endswith("UserInfo/Modify")]
    assert sent == ["PUT", "POST", "POST"]

    simulator.profile = dataclasses.replace(simulator.profile, modify_method="PUT")
    save_employee(IVAN, employee_id=enrolment.employee_id)
    assert is_green(reconcile(enrolment.id, "test"))
    assert db.session.execute(db.select(Terminal.modify_method)).scalar_one() == "PUT"


# The words of Search, deviceInfo in JSON, a picture that is none.


@pytest.mark.parametrize("word", ["NO MATCH", "NO_MATCH", "NO MATCHES", "NO_MATCHES", ""])
def test_a_removal_is_believed_in_every_word_for_nobody(put: Put, word: str) -> None:
    simulated, terminal = put(dataclasses.replace(QUICK, search_no_match=word, more_at_the_end=True))
    enrolled = enrol(simulated, terminal)

    set_active(employee_of(enrolled), False)
    gone = reconcile(enrolled.id, "test")

    assert gone.is_confirmed
    assert simulated.people == {}


@pytest.mark.parametrize("name", ["K1T343EFWX", "K1T341CMFW"])
def test_a_captured_picture_that_is_none_does_not_count(put: Put, name: str) -> None:
    simulated, terminal = put(PROFILES[name])
    simulated.faults.add("picture-is-noise", times=1)

    simulated.present_alone(FACE)

    ended = run_capture(start_capture(terminal.id, IVAN, "Анна").id)

    assert (ended.state, ended.refusal_code, ended.photo_id) == (FAILED, "unusable_picture", None)
    assert capture_face(simulated, terminal).state == CAPTURED


# A lock in other words.


@pytest.mark.parametrize("words", ["lock", "locked", "xml", "json", "json-wrapped", "json-user-check"])
def test_a_changed_password_is_refused_once_and_a_lock_gets_none(put: Put, words: LockWords) -> None:
    simulated, terminal = put(dataclasses.replace(QUICK, lock_words=words))
    checks.check(terminal.id, "test")
    simulated.login.password = "changed-there"
    wanted = send_to_terminal(save_employee(IVAN).row.id, terminal.id).row

    for error in (LoginRefused, LoginStopped):
        with pytest.raises(error):
            reconcile(wanted.id, "test")
    refused = simulated.wrong_passwords
    simulated.login.lock()
    other = registry.add(Access("Тот же", terminal.url, "admin", "changed-there"))
    simulated.log.clear()
    with pytest.raises(LoginRefused) as locked:
        checks.check(other.id, "test")

    assert refused == 1
    assert locked.value.code == "locked"
    assert [entry.has_credentials for entry in simulated.log] == [False]


def test_where_a_challenge_says_nothing_a_dead_login_costs_no_try_and_a_changed_password_or_a_lock_costs_one(
    put: Put,
) -> None:
    simulated, terminal = put(dataclasses.replace(QUICK, silent_challenge=True))
    checks.check(terminal.id, "test")
    simulated.login.forget_nonces()
    checks.check(terminal.id, "test")
    renewed = simulated.wrong_passwords
    simulated.login.password = "changed-there"

    for error in (LoginRefused, LoginStopped):
        with pytest.raises(error):
            checks.check(terminal.id, "test")
    refused = simulated.wrong_passwords
    simulated.login.lock()
    other = registry.add(Access("Тот же", terminal.url, "admin", "changed-there"))
    simulated.log.clear()
    with pytest.raises(LoginRefused):
        checks.check(other.id, "test")
    with pytest.raises(LoginStopped) as locked:
        checks.check(other.id, "test")

    assert (renewed, refused, locked.value.code) == (0, 1, "locked")
    assert [entry.has_credentials for entry in simulated.log] == [False, True]


def test_a_terminals_own_word_is_no_sentence_of_ours(put: Put) -> None:
    simulated, terminal = put(QUICK)
    simulated.faults.add("refuse", "captured", path="AccessControl/CaptureFaceData", times=1)

    ended = run_capture(start_capture(terminal.id, IVAN, "Анна").id)

    assert (ended.state, ended.refusal_code) == (FAILED, "terminal:captured")
    assert json.dumps(ended.refusal_code)
