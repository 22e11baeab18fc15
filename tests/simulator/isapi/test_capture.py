from dataclasses import replace

import pytest

from hikflask.simulator import SEED, SkippingClock, Terminal, faces
from tests.simulator.conftest import BusyClock, Client

ANNA, BORIS = faces.draw("anna"), faces.draw("boris")
FILE = "/LOCALS/pic/web_face_enrollpic.jpg@WEB000000000020"


def test_face_in_front_of_the_camera_is_captured(terminal: Terminal, client: Client) -> None:
    terminal.present(ANNA)

    answer = client.capture()

    assert "<captureProgress>100</captureProgress>" in answer.text
    assert terminal.file == ANNA
    assert client.ask("GET", FILE).data == ANNA


def test_each_capture_gives_out_a_new_counter(terminal: Terminal, client: Client, clock: SkippingClock) -> None:
    for name in ("anna", "boris"):
        clock.advance(10)
        terminal.present(faces.draw(name))
        answer = client.capture()

    assert "web_face_enrollpic.jpg@WEB000000000021<" in answer.text


def test_second_capture_overwrites_the_file(terminal: Terminal, client: Client, clock: SkippingClock) -> None:
    terminal.present(ANNA)
    client.capture()
    clock.advance(1)
    terminal.present(BORIS)

    client.capture()

    assert client.ask("GET", FILE).data == BORIS, "the first counter still opens the file, with another face in it"


def test_nobody_in_front_of_the_camera_is_progress_0_after_three_seconds(
    terminal: Terminal, client: Client, clock: SkippingClock
) -> None:
    began = clock.now()

    answer = client.capture()

    assert answer.status_code == 200
    assert "<captureProgress>0</captureProgress>" in answer.text
    assert clock.now() - began == pytest.approx(3.0)
    assert terminal.file is None


def test_face_that_went_away_before_the_window_is_not_seen(
    terminal: Terminal, client: Client, clock: SkippingClock
) -> None:
    terminal.present(ANNA, stay=5)
    clock.advance(6)

    assert "<captureProgress>0<" in client.capture().text


def test_face_appears_by_itself_while_the_client_polls(client_for: type[Client], clock: SkippingClock) -> None:
    terminal = Terminal("Secret12", clock=clock, auto_face=4)
    client = client_for(terminal)

    first, second = client.capture(), client.capture()

    assert "<captureProgress>0<" in first.text
    assert "<captureProgress>100<" in second.text
    assert clock.now() == pytest.approx(4.0)
    assert terminal.file == faces.draw(faces.NAMES[0])


def test_next_face_that_appears_by_itself_is_another(client_for: type[Client], clock: SkippingClock) -> None:
    terminal = Terminal("Secret12", clock=clock, auto_face=1)
    client = client_for(terminal)
    client.capture()
    clock.advance(1)

    client.capture()

    assert terminal.file == faces.draw(faces.NAMES[1])


def test_polling_on_after_success_is_refused_to_the_same_login_only(
    terminal: Terminal, client: Client, client_for: type[Client]
) -> None:
    terminal.present(ANNA)
    terminal.present(BORIS)
    client.capture()

    again, other = client.capture(), client_for(terminal).capture()

    assert (again.status_code, "badParameters" in again.text) == (400, True)
    assert "<captureProgress>100<" in other.text


def test_polling_on_after_success_can_be_allowed(client_for: type[Client], clock: SkippingClock) -> None:
    terminal = Terminal("Secret12", clock=clock, profile=replace(SEED, refuse_after_success=0))
    client = client_for(terminal)
    terminal.present(ANNA)
    client.capture()

    assert "<captureProgress>0<" in client.capture().text


def test_second_capture_in_an_open_window_is_busy(client_for: type[Client]) -> None:
    clock = BusyClock()
    terminal = Terminal("Secret12", clock=clock)
    answers = []
    clock.meanwhile = lambda: answers.append(client_for(terminal).capture())

    client_for(terminal).capture()

    assert answers[0].status_code == 400
    assert "<statusCode>2</statusCode>" in answers[0].text
    assert "<subStatusCode>deviceBusy</subStatusCode>" in answers[0].text
    assert "<errorMsg>dataType</errorMsg>" in answers[0].text


def test_cancel_ends_the_open_window(client_for: type[Client]) -> None:
    clock = BusyClock()
    terminal = Terminal("Secret12", clock=clock)
    clock.meanwhile = lambda: client_for(terminal).capture(cancel=True)
    terminal.camera.auto_face = 2

    answer = client_for(terminal).capture()

    assert "<captureProgress>0<" in answer.text
    assert terminal.camera.window is None


def test_binary_capture_of_the_seed_carries_the_picture(terminal: Terminal, client: Client) -> None:
    terminal.present(ANNA)

    answer = client.capture("binary")

    assert ANNA in answer.data
    assert answer.headers["Content-Type"] == "multipart/form-data;boundary=MIME_boundary"


@pytest.mark.parametrize(
    ("method", "body", "code"),
    [
        ("GET", "", "methodNotAllowed"),
        ("POST", '{"CaptureFaceDataCond":{"dataType":"url"}}', "badXmlContent"),
        ("POST", "<Other/>", "badXmlContent"),
        ("POST", "<CaptureFaceDataCond><dataType>film</dataType></CaptureFaceDataCond>", "badParameters"),
    ],
)
def test_bad_capture_requests_are_refused_in_xml(client: Client, method: str, body: str, code: str) -> None:
    answer = client.ask(method, "/ISAPI/AccessControl/CaptureFaceData", body)

    assert answer.status_code == 400
    assert f"<subStatusCode>{code}</subStatusCode>" in answer.text


def test_capture_takes_application_xml_and_fields_without_namespace(terminal: Terminal, client: Client) -> None:
    terminal.present(ANNA)

    answer = client.ask(
        "POST",
        "/ISAPI/AccessControl/CaptureFaceData",
        "<CaptureFaceDataCond><dataType>url</dataType></CaptureFaceDataCond>",
        "application/xml",
    )

    assert "<captureProgress>100<" in answer.text


def test_recorded_latency_makes_a_capture_as_slow_as_recorded(client_for: type[Client], clock: SkippingClock) -> None:
    terminal = Terminal("Secret12", clock=clock, latency="recorded")
    client = client_for(terminal)
    client.ask("GET", "/ISAPI/AccessControl/UserInfo/Count?format=json")
    terminal.present(ANNA)
    began = clock.now()

    client.capture()
    captured = clock.now()
    client.ask("GET", FILE)

    assert captured - began == pytest.approx(3.192)
    assert clock.now() - captured == pytest.approx(0.140)
