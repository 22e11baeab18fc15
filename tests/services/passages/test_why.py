"""Why a door did not open: each cause with its sentence and its step, and which one counts more."""

import html
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any, Self

import pytest
from flask import current_app
from flask_babel import force_locale

from hikflask.extensions import db
from hikflask.labels import why as labels
from hikflask.models import Employee, Enrolment, EventCoverage, EventLog, Photo, ReachabilityChange, Terminal
from hikflask.models.enrolment import ABSENT, CONFIRMED, PENDING, REFUSED
from hikflask.models.event import (
    EXPIRED,
    LIVENESS,
    NO_PERMISSION,
    OUTSIDE_HOURS,
    OVERWRITTEN,
    UNKNOWN_PERSON,
)
from hikflask.models.event import REFUSED as TURNED_AWAY
from hikflask.services.core.db import transaction
from hikflask.services.passages.why import RULES, Answer, moment_of, why
from tests.support.events import add_events, event_row
from tests.support.refusals import refusal

NOW = datetime(2020, 1, 6, 12, 0, tzinfo=UTC)
AT = datetime(2020, 1, 6, 9, 0, tzinfo=UTC)
DAY = timedelta(days=1)
OFFICE = {
    "read_at": "2020-01-06T09:30:00+00:00",
    "schedules": [{"plan": 5, "name": "Офис", "hours": [[0, "10:00", "18:00"]]}],
}
NONE = {**OFFICE, "schedules": []}
SENT = {"state": "confirmed"}
pytestmark = pytest.mark.usefixtures("context")


@pytest.fixture
def settings() -> dict[str, Any]:
    return {"TIMEZONE": "UTC", "PASSAGES": "poll", "PASSAGES_KEEP": 36500, "FACE_DETECTION": "off"}


class Door:
    """A terminal that is read up to now, an employee who is confirmed there, and what happened."""

    def __init__(self) -> None:
        with transaction():
            self.terminal = Terminal(name="Вход", url="http://nobody.test", username="admin", password_encrypted="x")
            self.terminal.serial, self.terminal.face_mode = "S1", "picture"
            self.employee = Employee(number="100222", name="Иван Иванов", created_at=AT - 9 * DAY)
            db.session.add_all([self.terminal, self.employee])
            db.session.flush()
            photo = Photo(file="a.jpg", sha256="a", source="upload", employee_id=self.employee.id)
            db.session.add(photo)
            db.session.flush()
            about = {"terminal_id": self.terminal.id, "number": "100222", "employee_id": self.employee.id}
            self.enrolment = Enrolment(**about, person=CONFIRMED, face=CONFIRMED, photo_id=photo.id)
            self.enrolment.confirmed_photo_id, self.enrolment.confirmed_at = photo.id, AT - DAY
            self.enrolment.desired_since, self.enrolment.next_attempt_at = AT - 9 * DAY, None
            whole = {"from_at": AT - 9 * DAY, "to_at": NOW, "is_complete": True}
            log = EventLog(terminal_id=self.terminal.id, device_serial="S1", complete_to=NOW)
            db.session.add_all([self.enrolment, log, EventCoverage(terminal_id=self.terminal.id, **whole)])

    def set(self, row: Any, **columns: Any) -> Self:
        with transaction():
            for name, value in columns.items():
                setattr(row, name, value)
        return self

    def seen(
        self, kind: str, minutes: float = 0, *, fast: int = 0, code: tuple[int, int] = (5, 0), **about: Any
    ) -> Self:
        """Record an event of the employee so many minutes later, by a clock that is so many seconds fast."""
        event = event_row(
            self.terminal, employee=self.employee, kind=kind, code=code, at=AT + timedelta(minutes=minutes), **about
        )
        event.device_at += timedelta(seconds=fast)
        add_events(event)
        return self

    def stranger(self, kind: str, minutes: float = 0) -> Self:
        add_events(event_row(self.terminal, kind=kind, code=(5, 76), at=AT + timedelta(minutes=minutes)))
        return self

    def ask(self, *, anywhere: bool = False) -> Answer:
        db.session.expire_all()
        return why(self.employee, AT, None if anywhere else self.terminal, NOW)


def unconfirmed(door: Door, code: str = "", *, due: bool = False, **columns: Any) -> Door:
    """Let the face be pending or refused for this reason, and no attempt come, unless it is due."""
    state = {"face": REFUSED if code else PENDING, "confirmed_photo_id": None, "confirmed_at": None}
    reason = refusal(code) if code else None
    return door.set(door.enrolment, **state, refusal=reason, next_attempt_at=NOW if due else None, **columns)


def removed(door: Door) -> Door:
    """Let the terminal have confirmed that the employee is gone."""
    return door.set(door.enrolment, desired=ABSENT, photo_id=None, face=PENDING, confirmed_photo_id=None)


def leaving(door: Door) -> Door:
    """Let the removal of the employee be open."""
    return door.set(door.enrolment, desired=ABSENT, person=PENDING, face=PENDING, confirmed_at=None)


def silent(door: Door) -> None:
    """Let the terminal not answer from 8:30 until 9:30."""
    at = {8.5: False, 9.5: True, 0: True}
    with transaction():
        for hour, is_reachable in sorted(at.items()):
            moment = AT.replace(hour=0) + timedelta(hours=hour)
            db.session.add(ReachabilityChange(terminal_id=door.terminal.id, at=moment, is_reachable=is_reachable))
    door.set(door.terminal, answered_at=NOW, reachable=True)


def overwritten(door: Door) -> None:
    gap = {"from_at": AT - timedelta(hours=1), "to_at": AT + timedelta(hours=1), "is_complete": False}
    with transaction():
        db.session.add(EventCoverage(terminal_id=door.terminal.id, reason=OVERWRITTEN, **gap))


# Cause → what is so, the step, and the sentence in English and in Russian.
CASES: dict[str, tuple[Callable[[Door], object], str, str, str]] = {
    "inactive_still_there": (
        lambda door: leaving(door).set(door.employee, is_active=False, left_at=AT - DAY),
        "removal",
        "The employee is deactivated, and “Вход” has not removed the employee yet.",
        "Сотрудник деактивирован, а терминал «Вход» его ещё не удалил.",
    ),
    "inactive": (
        lambda door: removed(door).set(door.employee, is_active=False, left_at=AT - DAY),
        "activate",
        "The employee is deactivated, so no terminal opens a door.",
        "Сотрудник деактивирован, поэтому терминалы не открывают ему двери.",
    ),
    "validity_over": (
        lambda door: door.set(door.employee, valid_to=date(2020, 1, 5)).seen(EXPIRED),
        "validity",
        "The last day of access, 5 January 2020, was over.",
        "Последний день доступа, 5 января 2020, уже прошёл.",
    ),
    "validity_not_begun": (
        lambda door: door.set(door.employee, valid_from=date(2020, 1, 7)),
        "validity",
        "The first day of access, 7 January 2020, had not come yet.",
        "Первый день доступа, 7 января 2020, ещё не наступил.",
    ),
    "clock": (
        lambda door: door.seen(OUTSIDE_HOURS, fast=7200),
        "clock",
        "“Вход” turned the employee away by its own clock, and that is wrong. "
        "The terminal's clock was 2 hours fast then.",
        "Терминал «Вход» отказал по своим часам, а они неверны. Часы терминала тогда спешили на 2 часа.",
    ),
    "outside_hours": (
        lambda door: door.seen(OUTSIDE_HOURS, code=(5, 7)),
        "schedules",
        "“Вход” turned the employee away because of the hours: "
        "their schedule there does not allow entry on 6 January 2020 at 09:00.",
        "Терминал «Вход» отказал из-за времени: "
        "расписание сотрудника там не разрешает проход 6 января 2020 г. в 09:00.",
    ),
    "expired_there": (
        lambda door: door.seen(EXPIRED, code=(5, 8)),
        "retry",
        "“Вход” says that the employee's access has expired, and here it has not.",
        "Терминал «Вход» считает, что срок доступа истёк, хотя здесь доступ действует.",
    ),
    "no_right_told": (
        lambda door: door.set(door.enrolment, plans_there=NONE).seen(NO_PERMISSION),
        "employee",
        "“Вход” knows the employee and gives no right to any door. Rights are given at the terminal.",
        "Терминал «Вход» знает сотрудника, но не даёт ему права ни на одну дверь. Права задаются на самом терминале.",
    ),
    "no_right": (
        lambda door: door.seen(NO_PERMISSION, code=(5, 6)),
        "schedules",
        "“Вход” knows the employee and says that there is no right to this door.",
        "Терминал «Вход» знает сотрудника и сообщает, что права на эту дверь у него нет.",
    ),
    "not_wanted_there": (
        lambda door: door.set(door.enrolment, desired=ABSENT, photo_id=None, face=PENDING).seen(NO_PERMISSION),
        "send",
        "“Вход” turned the employee away, who is not enrolled there.",
        "Терминал «Вход» отказал: сотрудник на нём не записан.",
    ),
    "liveness_of_employee": (
        lambda door: door.seen(LIVENESS, code=(5, 104)),
        "passages",
        "“Вход” took the employee's face for a photo or a screen.",
        "Терминал «Вход» принял лицо сотрудника за фото или экран.",
    ),
    "refused": (
        lambda door: door.seen(TURNED_AWAY, code=(5, 10)),
        "passages",
        "“Вход” turned the employee away: second entry without an exit.",
        "Терминал «Вход» отказал: повторный вход без выхода.",
    ),
    "opened": (
        lambda door: door.seen("passed", 3, code=(5, 75)),
        "passages",
        "“Вход” let the employee in on 6 January 2020 at 09:03.",
        "Терминал «Вход» пропустил сотрудника 6 января 2020 г. в 09:03.",
    ),
    "leaving": (
        leaving,
        "removal",
        "The employee is to be removed from “Вход”, which has not confirmed it yet.",
        "Сотрудник ещё не удалён с терминала «Вход»: терминал удаления не подтвердил.",
    ),
    "not_there": (
        removed,
        "send",
        "The employee is not on “Вход”.",
        "Сотрудника нет на терминале «Вход».",
    ),
    "came_later": (
        lambda door: door.set(door.enrolment, desired_since=AT + timedelta(hours=1)),
        "employee",
        "The employee was sent to “Вход” only later, on 6 January 2020 at 10:00.",
        "На терминал «Вход» сотрудника отправили позже, 6 января 2020 г. в 10:00.",
    ),
    "id_taken": (
        lambda door: unconfirmed(door, "employeenoalreadyexist", person=PENDING),
        "employee",
        "On “Вход” this ID belongs to somebody else.",
        "На терминале «Вход» этот ID занят другим человеком.",
    ),
    "full": (
        lambda door: unconfirmed(door, "devicefacefull"),
        "people",
        "“Вход” has no room for the employee.",
        "На терминале «Вход» нет места для сотрудника.",
    ),
    "face_refused": (
        lambda door: unconfirmed(door, "lowscore"),
        "photo",
        "“Вход” did not accept the employee's photo.",
        "Терминал «Вход» не принял фото сотрудника.",
    ),
    "no_face": (
        lambda door: unconfirmed(door, "file_gone").stranger(UNKNOWN_PERSON),
        "photo",
        "“Вход” knows the employee, but has no photo.",
        "Сотрудник на терминале «Вход» есть, но без фото.",
    ),
    "not_sent": (
        lambda door: unconfirmed(door, due=True),
        "retry",
        "“Вход” has not confirmed the employee yet.",
        "Терминал «Вход» ещё не подтвердил сотрудника.",
    ),
    "face_stays": (
        lambda door: unconfirmed(door, "face_not_shown"),
        "employee",
        "The employee's face on “Вход” is not confirmed: it may be an old one.",
        "Лицо сотрудника на терминале «Вход» не подтверждено: возможно, там прежнее.",
    ),
    "not_taken": (
        lambda door: unconfirmed(door, "illegalemployeeno", person=REFUSED),
        "retry",
        "“Вход” did not take the employee.",
        "Терминал «Вход» не принял сотрудника.",
    ),
    "not_recognised": (
        lambda door: door.stranger(UNKNOWN_PERSON, 1).stranger(LIVENESS),
        "photo",
        "“Вход” did not recognise somebody on 6 January 2020 at 09:01; perhaps that was the employee.",
        "Терминал «Вход» не узнал кого-то 6 января 2020 г. в 09:01: возможно, это был сотрудник.",
    ),
    "liveness": (
        lambda door: door.stranger(LIVENESS, -1),
        "passages",
        "“Вход” took a face for a photo or a screen on 6 January 2020 at 08:59; perhaps that was the employee.",
        "Терминал «Вход» принял чьё-то лицо за фото или экран 6 января 2020 г. в 08:59: возможно, это был сотрудник.",
    ),
    "silent": (
        silent,
        "check",
        "“Вход” did not answer then: perhaps it had no power.",
        "Терминал «Вход» тогда не отвечал: возможно, он был без питания.",
    ),
    "deleted": (
        lambda _: current_app.config.update(PASSAGES_KEEP=90),
        "employee",
        "Passages of that time are deleted already.",
        "Проходы за это время уже удалены.",
    ),
    "not_read": (
        overwritten,
        "check",
        "What “Вход” recorded then is not known here.",
        "Что терминал «Вход» записал в это время, программе неизвестно.",
    ),
    "opened_before": (
        lambda door: door.seen("passed", -4, code=(5, 75)),
        "passages",
        "“Вход” let the employee in on 6 January 2020 at 08:56, and recorded nothing about the employee after that.",
        "Терминал «Вход» пропустил сотрудника 6 января 2020 г. в 08:56, а позже о нём ничего не записал.",
    ),
    "clock_wrong": (
        lambda door: door.set(door.terminal, clock_offset=-300, clock_checked_at=NOW, zone="CST-0:00:00"),
        "clock",
        "“Вход” recorded nobody then, and its clock is wrong. The terminal's clock is 5 minutes slow.",
        "Терминал «Вход» в это время никого не записал, а часы его неверны. Часы терминала отстают на 5 минут.",
    ),
    "nobody": (
        lambda door: door.stranger(UNKNOWN_PERSON, 3).seen(NO_PERMISSION, 16).seen("passed", -16),
        "passages",
        "“Вход” recorded nobody then: the camera saw no face, or it was another door or time.",
        "Терминал «Вход» в это время никого не записал: "
        "камера не увидела лица, или дело было у другой двери или в другое время.",
    ),
}
# Of no terminal.
OTHERS = {"no_terminal", "nowhere"}


def test_each_rule_has_a_case_and_a_sentence() -> None:
    assert [rule.cause for rule in RULES] == [*labels.SENTENCES]
    assert {*CASES} | OTHERS == {*labels.SENTENCES}


@pytest.mark.parametrize("cause", CASES)
def test_cause_step_and_sentence(cause: str) -> None:
    happens, step, english, russian = CASES[cause]
    door = Door()
    happens(door)

    answer = door.ask()

    assert (answer.cause, answer.step) == (cause, step)
    assert said(answer, "en") == english
    assert said(answer, "ru") == russian


def test_leaver_who_is_still_at_another_terminal_is_said_to_be_there_whichever_is_meant() -> None:
    door = leaving(Door())
    door.set(door.employee, is_active=False, left_at=AT - DAY).set(door.terminal, reachable=False)
    with transaction():
        other = Terminal(name="Склад", url="http://other.test", username="admin", password_encrypted="x")
        db.session.add(other)

    for meant in (other, None):
        answer = why(door.employee, AT, meant, NOW)

        assert (answer.cause, answer.facts.terminal) == ("inactive_still_there", door.terminal)
        # The removal is tried, also where the terminal is off; only a password is corrected before.
        assert answer.step == "removal"
        assert [line.detail for line in labels.enrolments(answer)] == ["leaving"]
        assert labels.absent(answer) == (["Склад"] if meant else [])
    door.set(door.terminal, refused_since=AT)
    assert door.ask().step == "password"


def said(answer: Answer, language: str) -> str:
    """The sentence as it is read: without tags, and without the marks that isolate names."""
    with force_locale(language):
        return plain(labels.answer_sentence(answer))


def test_what_the_terminal_said_counts_more_than_what_came_of_it_before_or_what_strangers_did() -> None:
    door = Door()
    door.stranger(UNKNOWN_PERSON)
    door.seen("passed", -5, code=(5, 75))
    door.seen(OUTSIDE_HOURS, 4, code=(5, 7))
    door.seen(NO_PERMISSION, -10, code=(5, 6))

    answer = door.ask()

    assert answer.cause == "outside_hours"
    assert [event.kind for event in answer.events] == [NO_PERMISSION, "passed", UNKNOWN_PERSON, OUTSIDE_HOURS]


def test_what_is_of_somebody_who_had_the_number_then_is_nobodys_here() -> None:
    door = Door()
    earlier = event_row(door.terminal, number="100222", name="Пётр", kind=EXPIRED, code=(5, 8), at=AT)
    add_events(earlier)

    answer = door.ask()

    assert (answer.cause, answer.events) == ("nobody", [])


def test_who_was_let_in_was_let_in_whatever_is_known() -> None:
    door = Door()
    door.set(door.employee, is_active=False, left_at=AT - DAY, valid_to=date(2020, 1, 1))
    door.seen("passed", code=(5, 75))

    assert door.ask().cause == "opened"


def test_passage_some_minutes_before_does_not_hide_that_the_terminal_fell_silent() -> None:
    door = Door()
    door.seen("passed", -4, code=(5, 75))
    silent(door)

    assert door.ask().cause == "silent"


def test_what_was_recorded_within_the_last_minutes_counts_as_read() -> None:
    door = Door()
    with transaction():
        span = db.session.execute(db.select(EventCoverage)).scalar_one()
        span.to_at = AT - timedelta(minutes=1)
    assert door.ask().cause == "nobody"

    door.set(span, to_at=AT - timedelta(minutes=3))
    assert door.ask().cause == "not_read"


def test_of_several_terminals_the_one_with_the_most_certain_cause_answers() -> None:
    door = Door()
    with transaction():
        other = Terminal(name="Склад", url="http://other.test", username="admin", password_encrypted="x", serial="S2")
        db.session.add(other)
    add_events(event_row(other, employee=door.employee, kind=NO_PERMISSION, code=(5, 6), at=AT))

    answer = door.ask(anywhere=True)

    assert (answer.cause, answer.facts.terminal) == ("not_wanted_there", other)
    assert [facts.terminal for facts in answer.every] == [door.terminal, other]


def test_without_any_terminal_of_the_employee_it_is_said_where_to_go() -> None:
    door = Door()
    door.set(door.enrolment, desired=ABSENT, photo_id=None, face=PENDING, confirmed_photo_id=None)

    nowhere = door.ask(anywhere=True)
    door.set(door.terminal, is_active=False)
    unused = door.ask(anywhere=True)

    assert [(one.cause, one.step, one.facts.terminal) for one in (nowhere, unused)] == [
        ("nowhere", "employee", None),
        ("no_terminal", "terminals", None),
    ]
    assert [said(one, "en") for one in (nowhere, unused)] == [
        "The employee is on no terminal.",
        "No terminal is in use.",
    ]
    assert [said(one, "ru") for one in (nowhere, unused)] == [
        "Сотрудника нет ни на одном терминале.",
        "Ни один терминал не используется.",
    ]


def test_a_step_for_which_the_terminal_must_answer_waits_for_that() -> None:
    door = Door()
    door.seen(EXPIRED, code=(5, 8))

    door.set(door.terminal, reachable=False)
    assert door.ask().step == "check"
    door.set(door.terminal, reachable=True, refused_since=NOW)
    assert door.ask().step == "password"


def test_schedules_that_the_terminal_told_are_named() -> None:
    door = Door()
    door.set(door.enrolment, plans_there=OFFICE)
    door.seen(OUTSIDE_HOURS, code=(5, 7))

    answer = door.ask()

    assert said(answer, "en") == (
        "“Вход” turned the employee away because of the hours: "
        "schedule “Офис” does not allow entry on 6 January 2020 at 09:00."
    )
    assert said(answer, "ru") == (
        "Терминал «Вход» отказал из-за времени: расписание «Офис» не разрешает проход 6 января 2020 г. в 09:00."
    )
    with force_locale("ru"):
        assert plain(labels.known(answer)[-1]) == (
            "«Вход»: расписание «Офис» (понедельник: 10:00–18:00), по ответу терминала 6 января 2020 г. в 09:30."
        )


def test_evidence_names_silence_gap_clock_and_days() -> None:
    door = Door()
    silent(door)
    overwritten(door)
    door.set(door.terminal, clock_offset=-300, clock_checked_at=NOW, zone="CST-0:00:00")
    door.set(door.employee, valid_from=date(2020, 1, 1), valid_to=date(2020, 12, 31))
    answer = door.ask()

    with force_locale("en"):
        known = [plain(sentence) for sentence in labels.known(answer)]
        doubts = [plain(sentence) for sentence in labels.doubts(answer)]
    with force_locale("ru"):
        russian = [plain(sentence) for sentence in (*labels.known(answer), *labels.doubts(answer))]

    assert known == [
        "Access from 1 January 2020.",
        "Access until 31 December 2020 inclusive.",
        "“Вход” did not answer from 08:30 on 6 January 2020 until 09:15 on 6 January 2020.",
        "“Вход”: The terminal's clock is 5 minutes slow.",
    ]
    assert doubts == [
        "“Вход” overwrote what it recorded from 08:00 on 6 January 2020 until 10:00 on 6 January 2020 "
        "before it was read."
    ]
    assert russian[2] == "Терминал «Вход» не отвечал с 08:30 6 января 2020 года до 09:15 6 января 2020 года."


def plain(sentence: str) -> str:
    return re.sub("[\u2066-\u2069]", "", html.unescape(re.sub("<[^>]+>", "", sentence)))


def test_moments_are_read_with_a_zone_or_in_the_zone_of_the_installation() -> None:
    current_app.config["TIMEZONE"] = "Asia/Tashkent"

    assert (
        moment_of("2020-01-06T14:00")
        == moment_of("2020-01-06T09:00:00Z")
        == moment_of("2020-01-06T10:00:00 01:00")
        == AT
    )
    assert [moment_of(text) for text in ("", "yesterday", "0001-01-01T00:00", "9999-12-31T23:59:59-23:00")] == [
        None
    ] * 4
