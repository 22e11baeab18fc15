import hashlib
import io
import re
import threading
from datetime import UTC, datetime
from typing import Any

import pytest
from flask.testing import FlaskClient
from PIL import Image

from hikflask.simulator import SkippingClock, Terminal, faces
from hikflask.simulator.terminal.clocks import WallClock
from tests.simulator.conftest import BusyClock, Client

ANNA = faces.draw("anna")


@pytest.fixture
def screen(client: Client) -> FlaskClient:
    """The screen, as a browser without login sees it."""
    return client.http


def test_page_offers_every_drawn_face(screen: FlaskClient) -> None:
    page = screen.get("/").text

    assert all(f'value="{name}"' in page for name in faces.NAMES)
    assert screen.get("/screen/drawn/anna.jpg").data == ANNA
    assert screen.get("/screen/drawn/nobody.jpg").status_code == 404


def test_stylesheet_and_icon_of_the_page_are_there(screen: FlaskClient) -> None:
    linked = re.findall(r'<link rel="\w+" href="([^"]+)"', screen.get("/").text)

    kinds = []
    for path in linked:
        with screen.get(path) as answer:
            kinds.append(answer.content_type.partition(";")[0])
    assert kinds == ["text/css", "image/svg+xml"]


def test_pages_have_no_inline_script_or_style(screen: FlaskClient, terminal: Terminal) -> None:
    terminal.store.add("1", {"name": "<b>Иван</b>"})
    for path in ("/", "/screen/display", "/screen/people"):
        page = screen.get(path).text
        assert "<script" not in page
        assert "style=" not in page
        assert "<style" not in page
        assert "<b>Иван" not in page


def test_button_presents_a_face_to_the_next_capture(screen: FlaskClient, terminal: Terminal, client: Client) -> None:
    answer = screen.post("/screen/present", data={"name": "anna"})

    client.capture()

    assert answer.status_code == 303
    assert terminal.file == ANNA


def test_second_person_takes_the_place_of_the_first(screen: FlaskClient, terminal: Terminal, client: Client) -> None:
    screen.post("/screen/present", data={"name": "anna"})
    screen.post("/screen/present", data={"name": "boris"})

    client.capture()

    assert terminal.file == faces.draw("boris")


def test_uploaded_picture_becomes_a_small_baseline_jpeg(
    screen: FlaskClient, terminal: Terminal, client: Client
) -> None:
    stream = io.BytesIO()
    Image.new("RGBA", (900, 1200), "teal").save(stream, "PNG")
    stream.seek(0)

    screen.post("/screen/present", data={"picture": (stream, "me.png")})
    client.capture()

    assert terminal.file is not None
    image = Image.open(io.BytesIO(terminal.file))
    assert (image.format, image.size, "progressive" in image.info) == ("JPEG", (360, 480), False)


@pytest.mark.parametrize("data", [{"name": "nobody"}, {}, {"picture": (io.BytesIO(b"text"), "a.txt")}])
def test_what_is_no_face_is_refused(screen: FlaskClient, terminal: Terminal, data: dict[str, Any]) -> None:
    answer = screen.post("/screen/present", data=data)

    assert answer.status_code == 422
    assert not terminal.camera.visitors


def test_display_asks_for_a_face_while_a_window_is_open(
    screen: FlaskClient, terminal: Terminal, clock: SkippingClock, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    pages = []
    terminal.before("CaptureFaceData", lambda: pages.append(screen.get("/screen/display").text))
    terminal.camera.clock = clock
    waited = clock.wait

    def look(condition: threading.Condition, seconds: float) -> None:
        pages.append(screen.get("/screen/display").text)
        waited(condition, seconds)

    monkeypatch.setattr(clock, "wait", look)
    client.capture()

    assert "Готов к работе" in pages[0]
    assert "Предъявите лицо" in pages[1]
    assert "3 с" in pages[1]


def test_display_shows_the_face_that_was_taken_and_then_is_idle(
    screen: FlaskClient, terminal: Terminal, client: Client, clock: SkippingClock
) -> None:
    terminal.present(ANNA)
    client.capture()

    taken = screen.get("/screen/display").text
    clock.advance(7)
    idle = screen.get("/screen/display").text

    assert "Снято" in taken
    assert "Готов к работе" in idle
    assert screen.get("/screen/file.jpg").data == ANNA


def test_list_shows_who_is_enrolled_with_which_face(screen: FlaskClient, terminal: Terminal) -> None:
    terminal.store.add("1", {"name": "Иван"})
    terminal.store.add("2", {"name": "Пётр"})
    terminal.store.bind("1", ANNA)

    page = screen.get("/screen/people").text

    assert "Записаны на терминале: 2" in page
    assert "нет лица" in page
    assert screen.get("/screen/enrolled/1.jpg").data == ANNA
    assert screen.get("/screen/enrolled/2.jpg").status_code == 404


def test_state_for_programs(screen: FlaskClient, terminal: Terminal, client: Client) -> None:
    client.add_person("1", name="Иван")
    terminal.store.bind("1", ANNA)
    terminal.wall_clock = WallClock(zone="CST-5:00:00", real_time=lambda: datetime(2026, 11, 27, 12, tzinfo=UTC))

    assert screen.get("/screen/state").get_json() == {
        "model": "DS-K1T343EFWX",
        "people": {"1": "Иван"},
        "faces": {"1": hashlib.sha256(ANNA).hexdigest()},
        "file": None,
        "window_open": False,
        "card_window_open": False,
        "wrong_passwords": 0,
        "log_length": 2,
        "time": {"timeMode": "manual", "localTime": "2026-11-27T17:00:00+05:00", "timeZone": "CST-5:00:00"},
    }


def test_display_asks_for_a_card_and_the_form_holds_it(client_for: type[Client]) -> None:
    clock = BusyClock()
    terminal = Terminal("Secret12", clock=clock)
    client, pages = client_for(terminal), list[str]()

    def hold() -> None:
        pages.append(client.http.get("/screen/display").text)
        client.http.post("/screen/card", data={"number": " 00aB12 "})

    clock.meanwhile = hold
    answer = client.ask("GET", "/ISAPI/AccessControl/CaptureCardInfo?format=json")

    assert "Приложите карту" in pages[0]
    assert "30 с" in pages[0]
    assert answer.get_json()["CardInfo"]["cardNo"] == "00aB12"
    assert "Готов к работе" in client.http.get("/screen/display").text


def test_card_that_nobody_asked_for_is_a_passage(screen: FlaskClient, terminal: Terminal) -> None:
    answer = screen.post("/screen/card", data={"number": "77"})

    assert (answer.status_code, answer.location) == (303, "/")
    assert [(record.minor, record.fields["cardNo"]) for record in terminal.events.records] == [(9, "77")]
    assert "карта неизвестна <small>card unknown</small>" in screen.get("/screen/people").text


@pytest.mark.parametrize("number", ["", "12 34", "1" * 33, "Ж"])
def test_what_is_no_card_is_refused(screen: FlaskClient, terminal: Terminal, number: str) -> None:
    assert screen.post("/screen/card", data={"number": number}).status_code == 422
    assert terminal.events.records == []


def test_log_is_listed_and_cleared(screen: FlaskClient, client: Client) -> None:
    client.add_person("1")

    entries = screen.get("/screen/log").get_json()
    screen.delete("/screen/log")

    assert entries[-1] == {
        "method": "POST",
        "path": "/ISAPI/AccessControl/UserInfo/Record?format=json",
        "status": 200,
    }
    assert screen.get("/screen/log").get_json() == []


def test_fault_is_set_shown_and_cleared(screen: FlaskClient, terminal: Terminal) -> None:
    screen.post("/screen/faults", data={"name": "lost-after", "path": "UserInfo/Record", "times": "2"})
    shown = screen.get("/").text
    (fault,) = terminal.faults.active
    screen.post("/screen/faults/clear")

    assert (fault.name, fault.path, fault.times) == ("lost-after", "UserInfo/Record", 2)
    assert "lost-after" in shown
    assert terminal.faults.active == []


@pytest.mark.parametrize("data", [{"name": "flood"}, {"name": "slow", "argument": "x"}, {"name": "busy", "times": "x"}])
def test_unknown_fault_is_refused(screen: FlaskClient, terminal: Terminal, data: dict[str, Any]) -> None:
    assert screen.post("/screen/faults", data=data).status_code == 422
    assert terminal.faults.active == []


def test_events_happen_at_once(screen: FlaskClient, terminal: Terminal) -> None:
    terminal.camera.store(ANNA)

    screen.post("/screen/events", data={"event": "lock"})
    screen.post("/screen/events", data={"event": "restart"})
    for event in ("exit-button", "door-held", "tamper", "foreign-listener"):
        screen.post("/screen/events", data={"event": event})

    assert [(record.major, record.minor) for record in terminal.events.records if record.major == 1] == [(1, 1030)]
    assert [host.is_empty for host in terminal.push.hosts] == [True, False]
    assert {record.minor for record in terminal.events.records} == {1024, 23, 21, 22, 24, 25, 28, 26, 1030}
    assert terminal.login.unlock_seconds == 1800
    assert terminal.file is None
    assert screen.post("/screen/events", data={"event": "explode"}).status_code == 422


def test_person_passes_and_a_stranger_does_not(screen: FlaskClient, terminal: Terminal, clock: SkippingClock) -> None:
    terminal.store.add("1", {"name": "Иван"})
    terminal.store.bind("1", ANNA)

    answer = screen.post("/screen/pass", data={"number": "1"})
    passed = screen.get("/screen/display").text
    screen.post("/screen/pass")
    refused = screen.get("/screen/display").text
    people = screen.get("/screen/people").text
    clock.advance(7)

    assert (answer.status_code, answer.location) == (303, "/screen/people")
    assert "✅ Иван" in passed
    assert "⛔ Доступ запрещён" in refused
    assert "5/76" in refused
    assert "лицо не узнано <small>face unknown</small>" in people
    assert "Готов к работе" in screen.get("/screen/display").text
