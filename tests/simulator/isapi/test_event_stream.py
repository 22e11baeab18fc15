import json
from collections.abc import Iterator
from typing import Any

from hikflask.simulator import Terminal
from tests.simulator.conftest import Client

STREAM = "/ISAPI/Event/notification/alertStream"


def read(part: bytes) -> dict[str, Any]:
    head, _, body = part.partition(b"\r\n\r\n")
    length = int(head.rpartition(b"Content-Length: ")[2])
    assert head.startswith(b'--MIME_boundary\r\nContent-Type: application/json; charset="UTF-8"\r\n')
    assert body[length:] == b"\r\n"
    return dict(json.loads(body[:length]))


def told(event: dict[str, Any]) -> tuple[int, bool]:
    inner = event["AccessControllerEvent"]
    return inner["serialNo"], inner["currentEvent"]


def parts(client: Client) -> Iterator[dict[str, Any]]:
    answer = client.ask("GET", STREAM)
    assert (answer.status_code, answer.content_type) == (200, "multipart/mixed; boundary=MIME_boundary")
    return map(read, answer.iter_encoded())


def test_stream_replays_the_log_and_tells_what_happens_and_that_it_lives(terminal: Terminal, client: Client) -> None:
    terminal.pass_by(None)
    backlog = [record.serial_no for record in terminal.events.records]

    stream = parts(client)

    assert next(stream)["eventType"] == "videoloss"
    assert [told(next(stream)) for _ in backlog] == [(serial, False) for serial in backlog]
    terminal.pass_by(None)
    new = terminal.events.records[len(backlog) :]
    assert [told(next(stream)) for _ in new] == [(record.serial_no, True) for record in new]
    assert (next(stream)["eventState"], next(stream)["eventState"]) == ("inactive", "inactive")


def test_stream_has_one_listener_until_it_leaves(terminal: Terminal, client: Client) -> None:
    first = client.ask("GET", STREAM)
    second = client.ask("GET", STREAM)
    assert (second.status_code, "<subStatusCode>deployExceedMax<" in second.text) == (503, True)

    first.close()

    again = client.ask("GET", STREAM)
    assert again.status_code == 200
    again.close()
    terminal.push.set_traps(stream_is_taken=True)
    assert client.ask("GET", STREAM).status_code == 503
