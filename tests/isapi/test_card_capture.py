"""Reading a card at the terminal: by GET, by POST where GET does not exist, and what is no card."""

from xml.etree import ElementTree

import pytest

from hikflask.isapi import card_capture, errors
from hikflask.isapi.answer import Answer

from .helpers import Prepared, answer, refusal

PATH = "/ISAPI/AccessControl/CaptureCardInfo"
CARD = b'{"CardInfo":{"cardNo":"00aB12","cardType":"TypeA_M1","readerID":1}}'
CARD_XML = b"""<CardInfo version="2.0" xmlns="http://www.isapi.org/ver20/XMLSchema">
<cardNo>00aB12</cardNo><cardType>TypeA_M1</cardType><readerID>1</readerID></CardInfo>"""
REFUSALS = [
    refusal("notSupport", status=404),
    refusal("notSupport", status=403),
    refusal("methodNotAllowed"),
    refusal("notSupport", status=200),
    answer(b"", 404),
    answer(b"", 405),
]


def read(*answers: Answer | Exception) -> str:
    return card_capture.capture(Prepared(*answers), 30)


@pytest.mark.parametrize("body", [CARD, CARD_XML])
def test_a_number_is_read_as_it_is_written(body: bytes) -> None:
    assert read(answer(body)) == "00aB12"


def test_a_number_without_quotes_or_padded_to_a_fixed_width_is_read() -> None:
    assert read(answer(b'{"CardInfo":{"cardNo":3262386237}}')) == "3262386237"
    assert read(answer(b'{"CardInfo":{"cardNo":"0012 \\u0000"}}')) == "0012"


def test_the_first_request_is_a_get_that_may_wait_as_long_as_the_caller() -> None:
    client = Prepared(answer(CARD))
    card_capture.capture(client, 42.5)
    (sent,) = client.sent
    assert (sent.method, sent.path, sent.data) == ("GET", f"{PATH}?format=json", None)
    assert sent.timeout == (3.05, 44.0)


@pytest.mark.parametrize("refused", REFUSALS)
def test_where_get_does_not_exist_the_card_is_read_by_post(refused: Answer) -> None:
    client = Prepared(refused, answer(CARD_XML))
    assert card_capture.capture(client, 30.9) == "00aB12"
    sent = client.sent[1]
    assert (sent.method, sent.path, sent.content_type) == ("POST", PATH, "application/xml")
    assert sent.timeout == (3.05, 32.4)
    root = ElementTree.fromstring(sent.data or b"")
    space = "{http://www.isapi.org/ver20/XMLSchema}"
    assert (root.tag, root.attrib) == (f"{space}CaptureCardInfoCond", {"version": "2.0"})
    assert [(child.tag, child.text) for child in root] == [(f"{space}cardReaderNo", "1"), (f"{space}timeout", "30")]


def test_less_than_a_second_is_asked_for_as_one() -> None:
    client = Prepared(REFUSALS[0], answer(CARD_XML))
    card_capture.capture(client, 0.4)
    assert b"<timeout>1</timeout>" in (client.sent[1].data or b"")


def test_a_terminal_that_has_neither_cannot_read_cards() -> None:
    with pytest.raises(errors.NotSupported) as caught:
        read(REFUSALS[0], answer(b"", 404))
    assert (caught.value.code, caught.value.params["text"]) == (
        "function_not_supported",
        "AccessControl/CaptureCardInfo",
    )
    with pytest.raises(errors.NotSupported):
        read(refusal("UnSupportCapture"), refusal("UnSupportCapture"))


@pytest.mark.parametrize(
    "nobody",
    [
        refusal("captureTimeout", status_code=3),
        refusal("timeOut", status_code=3, status=200),
        answer(b'{"CardInfo":{"cardNo":""}}'),
        answer(b'{"CardInfo":{}}'),
        answer(b"<CardInfo><cardNo/></CardInfo>"),
    ],
)
def test_nobody_came_and_nothing_more_is_sent(nobody: Answer) -> None:
    client = Prepared(nobody)
    with pytest.raises(errors.CardTimeout) as caught:
        card_capture.capture(client, 30)
    assert (caught.value.code, caught.value.path, len(client.sent)) == ("card_timeout", PATH, 1)


@pytest.mark.parametrize(
    ("refused", "kind"),
    [
        (refusal("deviceBusy", status_code=2), errors.Busy),
        (refusal("cardReaderOffline"), errors.CardReaderOffline),
        (refusal("lowPrivilege", status=403), errors.NoRight),
        (errors.NoAnswer(path=PATH), errors.NoAnswer),
    ],
)
def test_what_is_no_missing_function_is_raised_and_not_asked_again_by_post(
    refused: Answer | Exception, kind: type[Exception]
) -> None:
    client = Prepared(refused)
    with pytest.raises(kind):
        card_capture.capture(client, 30)
    assert len(client.sent) == 1


@pytest.mark.parametrize(
    "body",
    [
        b'{"CardInfo":{"cardNo":"12;34"}}',
        b'{"CardInfo":{"cardNo":"\xd0\x96"}}',
        b'{"CardInfo":{"cardNo":["1"]}}',
        b'{"CardInfo":{"cardNo":"' + b"1" * 33 + b'"}}',
        b"<CardInfo><cardNo>12 34</cardNo></CardInfo>",
        b'{"statusCode":1,"subStatusCode":"ok"}',
        b"<html/>",
        b"",
    ],
)
def test_what_is_no_card_number_is_nonsense(body: bytes) -> None:
    with pytest.raises(errors.Nonsense):
        read(answer(body))


@pytest.mark.parametrize(
    ("body", "can"),
    [
        (b"<AccessControl><isSupportCaptureCardInfo>true</isSupportCaptureCardInfo></AccessControl>", True),
        (b"<AccessControl><isSupportCaptureCardInfo>false</isSupportCaptureCardInfo></AccessControl>", False),
        (b"<AccessControl><isSupportCardInfo>true</isSupportCardInfo></AccessControl>", False),
        (b'{"AccessControl":{"isSupportCaptureCardInfo":true}}', True),
    ],
)
def test_a_terminal_says_whether_it_reads_cards(body: bytes, can: bool) -> None:
    client = Prepared(answer(body))
    assert card_capture.can_capture(client) is can
    assert (client.sent[0].method, client.sent[0].path) == ("GET", "/ISAPI/AccessControl/capabilities")
