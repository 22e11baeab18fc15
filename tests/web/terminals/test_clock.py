"""How much room a terminal has, and its clock beside ours, on its page and on the start page."""

import html
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask

from hikflask.extensions import db
from hikflask.models import EventLog, Terminal
from hikflask.models.accounts import VIEWER
from tests.support.desk import ENGLISH, TODAY, Desk
from tests.support.signed_in import client_of

WARNING = "Часы терминала спешат на 5 минут."


def check(desk: Desk) -> str:
    return desk.client.post("/terminals/1/check", follow_redirects=True).text


def test_clocks_stand_side_by_side(desk: Desk) -> None:
    page = check(desk)
    english = desk.client.get("/terminals/1", headers=ENGLISH).text

    assert "<dt>Время на терминале</dt>" in page
    assert "<dt>Время здесь</dt>" in page
    assert "<dt>Time at the terminal</dt>" in english
    assert "UTC+" in english or "UTC-" in english
    assert "Часы терминала спешат" not in page


def test_wrong_clock_is_a_warning_and_set_by_one_click(desk: Desk) -> None:
    desk.simulator.trigger("clock-fast")
    page = check(desk)
    assert f"{WARNING} Терминал пускает людей по своим часам." in page
    assert "The terminal&#39;s clock is 5 minutes fast." in desk.client.get("/terminals/1", headers=ENGLISH).text
    assert WARNING in desk.text("/attention")

    page = desk.client.post("/terminals/1/clock", data={"next": "/attention"}, follow_redirects=True).text

    assert "Часы и часовой пояс терминала «Вход» установлены." in page
    assert WARNING not in desk.text("/attention") + desk.text("/terminals/1")
    assert abs(desk.simulator.wall_clock.drift) < timedelta(minutes=1)


def test_difference_is_said_as_one_says_it(desk: Desk) -> None:
    for seconds, russian, english in (
        (21 * 60, "Часы терминала спешат на 21 минуту.", "The terminal's clock is 21 minutes fast."),
        (-3 * 3600, "Часы терминала отстают на 3 часа.", "The terminal's clock is 3 hours slow."),
    ):
        desk.simulator.wall_clock.drift = timedelta(seconds=seconds)

        assert russian in check(desk)
        assert english in html.unescape(desk.client.get("/terminals/1", headers=ENGLISH).text)


def test_other_zone_is_a_warning(desk: Desk, app: Flask) -> None:
    app.config["TIMEZONE"] = "Asia/Yekaterinburg"
    desk.simulator.wall_clock.zone = "CST-8:00:00"

    page = check(desk)

    assert "Часовой пояс терминала: UTC+8, а здесь UTC+5." in page
    english = desk.client.get("/attention", headers=ENGLISH).text
    assert "Its time zone is UTC+8, and here it is UTC+5." in english


def test_time_that_is_marked_as_utc_is_said_in_its_zone(desk: Desk, app: Flask) -> None:
    app.config["TIMEZONE"] = "Asia/Yekaterinburg"
    desk.simulator.profile = replace(desk.simulator.profile, clock_mark="z", clock_by_utc=True)
    desk.simulator.wall_clock.zone = "CST-5:00:00"
    desk.simulator.trigger("clock-fast")

    page = check(desk)
    english = desk.client.get("/terminals/1", headers=ENGLISH).text

    assert f"{WARNING} Терминал пускает людей по своим часам." in page
    assert "The terminal&#39;s clock is 5 minutes fast. It lets people in by its own clock." in english
    assert "Часовой пояс терминала" not in page
    assert [shown.partition("</dd>")[0].count("UTC+5") for shown in english.split("<dt>Time ")[1:]] == [1, 1]


def test_clock_that_is_set_at_the_next_restart_is_said(desk: Desk) -> None:
    desk.simulator.profile = replace(desk.simulator.profile, clock_after_restart=True)
    desk.simulator.trigger("clock-fast")

    page = desk.client.post("/terminals/1/clock", follow_redirects=True).text
    english = desk.client.post("/terminals/1/clock", headers=ENGLISH, follow_redirects=True).text

    assert "Изменения вступят в силу после перезагрузки терминала. Перезагрузите его и нажмите «Проверить»." in page
    assert "This takes effect when the terminal restarts. Restart it, then press “Check”." in english
    desk.simulator.restart()
    assert WARNING not in check(desk)


def test_ntp_is_said(desk: Desk) -> None:
    desk.simulator.wall_clock.mode = "NTP"
    assert "Терминал сверяет часы по NTP. Если установить их отсюда, он перестанет это делать." in check(desk)


def test_clock_that_does_not_stay_set_is_said(desk: Desk) -> None:
    desk.simulator.before("System/time", lambda: setattr(desk.simulator.wall_clock, "drift", timedelta(minutes=9)))

    page = desk.client.post("/terminals/1/clock", follow_redirects=True).text

    assert "Терминал ответил «OK», но его часы или часовой пояс по-прежнему другие." in page


def test_viewer_sees_the_clock_and_sets_nothing(desk: Desk, app: Flask) -> None:
    check(desk)
    viewer = client_of(app, VIEWER, "Вера")
    assert "Время на терминале" in viewer.get("/terminals/1").text
    assert "/terminals/1/clock" not in viewer.get("/terminals/1").text
    assert viewer.post("/terminals/1/clock").status_code == 403


def test_room_is_shown_above_its_half_with_a_word(desk: Desk, app: Flask) -> None:
    for people, word in ((750, None), (751, ""), (1349, ""), (1350, "почти заполнен"), (1500, "заполнен")):
        with app.app_context():
            counted = {"people": people, "people_capacity": 1500, "faces": 700, "face_capacity": 1500}
            db.session.execute(db.update(Terminal).values(**counted))
            db.session.commit()

        room = desk.text("/terminals/1").partition('id="terminal-room"')[2].partition("</div>")[0]

        assert (f'value="{people}"' in room) == (word is not None)
        assert re.findall(r"</svg> (\w[\w ]*)</span>", room) == ([word] if word else [])


def test_room_is_that_of_faces_where_these_are_more(desk: Desk, app: Flask) -> None:
    with app.app_context():
        counted = {"people": 800, "people_capacity": 1500, "faces": 90, "face_capacity": 100}
        db.session.execute(db.update(Terminal).values(**counted))
        db.session.commit()

    page = desk.client.get("/terminals/1", headers=ENGLISH).text
    assert re.search(rf"90 of 100 faces as of {TODAY}\.", page)


def test_zone_that_contradicts_the_time_is_said_and_set_by_one_click(
    desk: Desk, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    app.config["TIMEZONE"] = "Asia/Yekaterinburg"
    local = datetime.now(UTC) + timedelta(hours=5)
    words = {"timeMode": "manual", "localTime": f"{local:%Y-%m-%dT%H:%M:%S}+05:00", "timeZone": "CST+5:00:00"}
    with monkeypatch.context() as patched:
        patched.setattr(desk.simulator.wall_clock, "fields", lambda *_, **__: words)
        page = check(desk)
    english = html.unescape(desk.client.get("/terminals/1", headers=ENGLISH).text)

    russian = "Часовой пояс терминала задан как CST+5:00:00, то есть UTC-5, а время у него по UTC+5."
    assert russian in page
    assert russian in desk.text("/attention")
    assert "Its time zone is set as CST+5:00:00, which is UTC-5, but its time is of UTC+5." in english

    page = desk.client.post("/terminals/1/clock", follow_redirects=True).text

    assert "Часы и часовой пояс терминала «Вход» установлены." in page
    assert russian not in page


def test_times_that_are_marked_otherwise_than_their_zone_are_said(desk: Desk, app: Flask) -> None:
    app.config["TIMEZONE"] = "Asia/Yekaterinburg"
    desk.simulator.wall_clock.zone = "CST-5:00:00"
    assert "Пометки времени" not in check(desk)
    desk.simulator.profile = replace(desk.simulator.profile, clock_mark="z")
    with app.app_context():
        db.session.add(EventLog(terminal_id=1, state={"marked": True}))
        db.session.commit()

    page = check(desk)
    english = desk.client.get("/terminals/1", headers=ENGLISH).text

    assert (
        "Терминал помечает время не тем смещением, что у его часового пояса; верен пояс. "
        "Время в его журнале помечено как UTC; оно читается в его поясе, UTC+5." in page
    )
    assert (
        "The terminal marks its time with another offset than its zone has; the zone counts. "
        "The times of its log are marked as UTC; they are read in its zone, UTC+5." in english
    )

    with app.app_context():
        db.session.execute(db.update(Terminal).values(clock_doubt="utc"))
        db.session.commit()
    told = "Терминал сообщает время в UTC. Сверьте его с часами на экране терминала."
    assert told in desk.text("/terminals/1")
    told = "The terminal tells its time in UTC. Compare it with the clock on its screen."
    assert told in desk.client.get("/terminals/1", headers=ENGLISH).text
