import pytest

from hikflask.simulator.isapi.capture import FINGER_PATH
from tests.simulator.conftest import Client


def condition(number: str) -> str:
    namespace = "http://www.isapi.org/ver20/XMLSchema"
    return f'<CaptureFingerPrintCond xmlns="{namespace}"><fingerNo>{number}</fingerNo></CaptureFingerPrintCond>'


def test_finger_is_taken_as_its_capabilities_say(client: Client) -> None:
    answers = [client.ask("POST", FINGER_PATH, condition(number)) for number in ("1", "10", "1")]

    first, other, again = (answer.data for answer in answers)
    assert {(answer.status_code, answer.content_type) for answer in answers} == {
        (200, "multipart/form-data;boundary=MIME_boundary")
    }
    assert b"<fingerNo>1</fingerNo><fingerPrintQuality>90</fingerPrintQuality>" in first
    head, _, rest = first.partition(b"Content-Type:application/octet-stream\r\nContent-Length:512\r\n\r\n")
    assert b'name="fingerData"' in head
    assert len(rest.removesuffix(b"\r\n--MIME_boundary--\r\n")) == 512
    assert first == again != other


@pytest.mark.parametrize("number", ["0", "11", "", "one"])
def test_finger_that_nobody_has_is_refused(client: Client, number: str) -> None:
    answer = client.ask("POST", FINGER_PATH, condition(number))

    assert (answer.status_code, "<errorMsg>fingerNo<" in answer.text) == (400, True)
