"""Every profile × every fault × each step of an enrolment ends in the right state and the right words."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import pytest
from flask import Flask

from hikflask import messages
from hikflask.simulator.profiles import PROFILES
from hikflask.simulator.terminal.faults import KINDS
from tests.invariants.actions import Actions
from tests.invariants.properties import EVERYTHING, Properties, is_green
from tests.invariants.world import World

IVAN = "1001"
PATHS = {
    "capture": "CaptureFaceData",
    "person": "UserInfo/Record",
    "picture": "/LOCALS/pic/*",
    "face": "FDSetUp",
    "proof": "UserInfo/Search",
    "removal": "UserInfoDetail/Delete",
}
STEPS = ("person", "picture", "face", "proof")
REFUSED_WITH = "subpicanalysismodelingerror"


@dataclass(frozen=True)
class End:
    """How a step ends: the code that is shown ("" is success), both facts, and whether it is tried again by itself."""

    code: str = ""
    person: str = "confirmed"
    face: str = "confirmed"
    again: bool = False


GOOD = End()
PERSON_LOST = End("no_answer", "pending", "pending", again=True)
LOCKED = End("locked", "pending", "pending", again=True)
FACE_NOT_VERIFIED = End("face_not_verified", "confirmed", "pending", again=True)
FACE_REFUSED = End(REFUSED_WITH, "confirmed", "refused")
SUPERSEDED = End("superseded", "confirmed", "refused")
STAYS_OPEN = End("no_answer", "pending", "pending", again=True)

# What is not listed here has no effect on that step: the fault is of another one, or the client copes with it.
LOST = ("lost-before", "lost-after", "drop", "restart")
CAPTURE = {
    **dict.fromkeys(LOST, "no_answer"),
    "busy": "devicebusy",
    "nobody": "capturetimeout",
    "low-quality": "facelowqulity",
    "refuse": REFUSED_WITH,
    "ok-without-effect": "nonsense",
    "picture-is-noise": "unusable_picture",
    "locked": "locked",
}
BOTH: dict[tuple[str, str], End] = {
    **{(step, fault): PERSON_LOST for step in ("person", "face", "proof") for fault in LOST},
    **{(step, "locked"): LOCKED for step in ("person", "face", "proof")},
    ("person", "refuse"): End(REFUSED_WITH, "refused", "pending"),
    ("person", "full"): End("deviceuserfull", "refused", "pending"),
    ("person", "ok-without-effect"): End("person_not_verified", "pending", "pending", again=True),
    ("face", "refuse"): FACE_REFUSED,
    ("face", "full"): End("devicefacefull", "confirmed", "refused"),
    ("face", "ok-without-effect"): FACE_NOT_VERIFIED,
    ("proof", "refuse"): End(REFUSED_WITH, "pending", "pending", again=True),
    ("proof", "ok-without-effect"): End("nonsense", "pending", "pending", again=True),
}
# Where the face goes by the terminal's own URL its file is looked at before and after, and may be another by then.
BY_URL: dict[tuple[str, str], End] = {
    **{("picture", fault): PERSON_LOST for fault in LOST},
    ("picture", "locked"): LOCKED,
    ("picture", "refuse"): FACE_REFUSED,
    ("picture", "ok-without-effect"): End("unusable_picture", "confirmed", "refused"),
    **{(step, fault): SUPERSEDED for step in ("picture", "face") for fault in ("overwrite", "overwrite-after")},
    ("person", "overwrite"): SUPERSEDED,
    ("person", "overwrite-after"): SUPERSEDED,
}
REMOVAL = {
    **dict.fromkeys(LOST, "no_answer"),
    "refuse": REFUSED_WITH,
    "ok-without-effect": "removal_not_verified",
    "removal-fails": "refused",
    "locked": "locked",
}
# After the fault has ended: what the next attempt by itself comes to, where that is not success.
LATER: dict[tuple[str, str], str] = {
    ("picture", "restart"): "file_gone",
    ("face", "restart"): "file_gone",
    ("person", "restart"): "file_gone",
}
WORDS = {
    "no_answer": "does not answer",
    "devicebusy": "busy",
    "capturetimeout": "saw no face",
    "facelowqulity": "more light",
    REFUSED_WITH: "could not model",
    "nonsense": "makes no sense",
    "unusable_picture": "not usable",
    "locked": "locked",
    "person_not_verified": "does not show the person",
    "face_not_verified": "does not show the right face",
    "removal_not_verified": "is still there",
    "superseded": "Another photo was taken there since",
    "file_gone": "lost the picture",
    "deviceuserfull": "is full",
    "devicefacefull": "is full",
    "refused": "refused",
}
# These the client copes with, by what it knows of each terminal's dialect.
DIALECT = {"refusals-as-200", "nonce-uses", "nonce-seconds"}
# One terminal with a URL and one without.
ONE_OF_EACH = ("K1T343EFWX", "K1T342MX-E1")
# The client meets these in the same way whatever it asks for, so on the other terminals one step is enough.
OF_ANY_STEP = {*LOST, "locked", *DIALECT}
# On the way to each terminal an answer is lost in the same way.
ELSEWHERE = KINDS.keys() - {"lost-before", "drop"}


def on_terminals(codes: Iterable[str]) -> pytest.MarkDecorator:
    """Each fault on one terminal of each kind, and on all the others what a terminal answers in words of its own."""
    words = {*codes} - OF_ANY_STEP | {"lost-after"}
    cases = [(name, fault) for name in PROFILES for fault in KINDS if fault in words or name in ONE_OF_EACH]
    return pytest.mark.parametrize(("world", "fault"), cases, indirect=["world"])


def expected(by_url: bool, step: str, fault: str) -> End:
    """Look the end of a step up."""
    return (BY_URL if by_url else {}).get((step, fault)) or BOTH.get((step, fault)) or GOOD


def comes_to_pass(by_url: bool, step: str, fault: str) -> bool:
    """Tell whether a fault changes a step of an enrolment. Without a URL there is no picture to fetch."""
    return (step != "picture" or by_url) and (fault in DIALECT or expected(by_url, step, fault) != GOOD)


ENROLMENTS = [
    (name, step, fault)
    for name, profile in PROFILES.items()
    for step in STEPS
    for fault in KINDS
    if comes_to_pass(profile.face_by_url and "url" in profile.capture_types, step, fault)
    and (name in ONE_OF_EACH or (fault in ELSEWHERE and (step == "face" or fault not in OF_ANY_STEP)))
]


def by_url(world: World) -> bool:
    return bool(world.sql("SELECT face_mode FROM terminal")[0]["face_mode"] == "url")


def set_fault(world: World, fault: str, step: str) -> None:
    argument = {"full": "users" if step == "person" else "faces", "slow": "1"}.get(fault, "")
    world.simulated[0].faults.add(fault, argument, path=PATHS[step])


def enrolment(world: World) -> End:
    row = world.sql(EVERYTHING)[0]
    return End(row["refusal_code"], row["person"], row["face"], row["next_attempt_at"] is not None)


def assert_said(app: Flask, code: str) -> None:
    """The code has its own sentence, and it is about what happened."""
    if code:
        with app.test_request_context():
            assert WORDS[code].lower() in messages.english(code, t="T0", text="removal failed").lower()


def captured(actions: Actions) -> int:
    capture_id = actions.capture(0, IVAN, 1, take_over=True)
    actions.save_capture(capture_id)
    return capture_id


def after_the_fault(world: World, actions: Actions) -> None:
    world.simulated[0].faults.clear()
    world.let_time_pass()
    actions.sweep()


@on_terminals(CAPTURE)
def test_capture(world: World, fault: str) -> None:
    actions = Actions(world, Properties(world))
    set_fault(world, fault, "capture")
    if fault == "full":
        world.simulated[0].faults.clear()

    actions.capture(0, IVAN, 1, take_over=True)

    row = world.sql("SELECT state, refusal ->> '$.code' AS reason, draft_name FROM capture")[0]
    code = CAPTURE.get(fault, "")
    assert (row["state"], row["reason"]) == (("failed", code) if code else ("captured", None))
    assert row["draft_name"] == "Иван Иванов"
    assert_said(world.app, code)


@pytest.mark.parametrize(("world", "step", "fault"), ENROLMENTS, indirect=["world"])
def test_enrolment(world: World, step: str, fault: str) -> None:
    properties = Properties(world)
    actions = Actions(world, properties)
    captured(actions)
    set_fault(world, fault, step)
    end = expected(by_url(world), step, fault)

    actions.settle(IVAN)

    assert enrolment(world) == end
    assert_said(world.app, end.code)
    properties.check()
    after_the_fault(world, actions)
    properties.check()
    assert enrolment(world) == later(by_url(world), step, fault, end)


def later(by_url: bool, step: str, fault: str, end: End) -> End:
    """What was refused for good stays so; what is tried again succeeds, unless the file is gone by then."""
    if not end.again:
        return end
    code = LATER.get((step, fault), "") if by_url else ""
    return End(code, "confirmed", "refused") if code else GOOD


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("world", ONE_OF_EACH, indirect=True)
def test_faults_of_another_step_change_nothing(world: World, step: str) -> None:
    actions = Actions(world, Properties(world))
    captured(actions)
    for fault in KINDS.keys() - {"full"}:  # it chooses its step itself
        if not comes_to_pass(by_url(world), step, fault):
            set_fault(world, fault, step)

    actions.settle(IVAN)

    assert enrolment(world) == GOOD


@on_terminals(REMOVAL)
def test_removal(world: World, fault: str) -> None:
    properties = Properties(world)
    actions = Actions(world, properties)
    captured(actions)
    actions.settle(IVAN)
    assert is_green(world.sql(EVERYTHING)[0])
    set_fault(world, fault, "removal")
    if fault == "full":
        world.simulated[0].faults.clear()
    actions.set_active(IVAN, active=False)

    actions.settle(IVAN)

    code = REMOVAL.get(fault, "")
    there = enrolment(world)
    assert (there.code, there.person, there.again) == ((code, "pending", True) if code else ("", "confirmed", False))
    assert_said(world.app, code)
    properties.check()
    after_the_fault(world, actions)
    assert enrolment(world) == replace(GOOD, face="pending")
    assert IVAN not in world.simulated[0].people
