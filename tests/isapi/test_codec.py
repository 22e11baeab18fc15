"""Envelopes, XML, JSON: read once, refused with the terminal's own words."""

import json
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hikflask.isapi import capture, codec, errors
from hikflask.isapi.client import Answer
from hikflask.isapi.errors import Nonsense, TerminalError

from .helpers import OK, answer, recorded, refusal


def test_a_recorded_ok_passes_unchanged() -> None:
    ok = answer(recorded("seed_terminal/38_PUT_Intelligent_FDLib_FDSetUp.response.json"))
    assert codec.checked(ok) is ok
    assert codec.confirmed(ok) is ok


def test_a_recorded_ok_in_xml_with_another_root_is_confirmed() -> None:
    heartbeat = answer(
        recorded("seed_terminal/28_PUT_Security_sessionHeartbeat.response.xml"), content_type="application/xml"
    )
    assert codec.confirmed(heartbeat) is heartbeat


def test_a_recorded_xml_refusal_in_the_other_namespace_is_read() -> None:
    body = recorded("other_terminals/capture_timeout_400_K1T342MX-E1.xml")
    with pytest.raises(errors.CaptureTimeout) as caught:
        codec.checked(Answer(400, "application/xml", body, capture.PATH))
    assert (caught.value.code, caught.value.status_code) == ("capturetimeout", 3)
    assert (caught.value.message, caught.value.http_status, caught.value.path) == ("cancelFlag", 400, capture.PATH)


def test_a_refusal_with_http_200_is_a_refusal() -> None:
    body = recorded("seed_terminal/03_GET_AccessControl_PersonAndCardComparison_DeviceWorkMode.response.json")
    with pytest.raises(errors.NotSupported):
        codec.checked(answer(body, 200))


@pytest.mark.parametrize("status_code", [2, 3, 4, 5, 6, 7])
def test_every_status_code_but_ok_refuses(status_code: int) -> None:
    with pytest.raises(errors.Refused):
        codec.checked(refusal("whatever", status=200, status_code=status_code))


def test_zero_and_numbers_as_text_are_ok() -> None:
    codec.confirmed(answer(b'{"statusCode":"0"}'))
    codec.confirmed(answer(b'{"ResponseStatus":{"statusCode":1}}'))


def test_a_sub_status_without_a_code_refuses() -> None:
    with pytest.raises(errors.Busy):
        codec.checked(answer(b'{"subStatusCode":"deviceBusy"}'))


def test_an_ok_envelope_does_not_excuse_an_http_error() -> None:
    with pytest.raises(errors.Refused) as caught:
        codec.checked(answer(OK, 500))
    assert caught.value.code == "http_500"


@pytest.mark.parametrize("body", [b"", b"<html><body>Welcome</body></html>", b'{"a":1}', b"[1]", b"{", b"<"])
def test_http_200_without_an_envelope_confirms_nothing(body: bytes) -> None:
    with pytest.raises(Nonsense):
        codec.confirmed(answer(body))


def test_an_html_error_page_is_told_by_its_http_status() -> None:
    with pytest.raises(errors.NoRight):
        codec.checked(answer(b"<!DOCTYPE html><html><br>", 403, "text/html"))


def test_a_user_check_body_is_an_envelope() -> None:
    codec.confirmed(answer(b"<userCheck><statusValue>200</statusValue><statusString>OK</statusString></userCheck>"))
    with pytest.raises(errors.WrongPassword):
        codec.checked(answer(b"<userCheck><statusValue>401</statusValue></userCheck>"))


def test_recorded_login_refusals_tell_tries_and_seconds() -> None:
    wrong = codec.login_refusal(answer(recorded("other_terminals/wrong_password_401_K1T342MWX.xml"), 401))
    locked = codec.login_refusal(answer(recorded("other_terminals/locked_401_K1T342MWX.xml"), 401))
    assert isinstance(wrong, errors.WrongPassword)
    assert (wrong.code, wrong.tries_left, wrong.http_status) == ("wrong_password", 4, 401)
    assert isinstance(locked, errors.AccountLocked)
    assert (locked.code, locked.unlock_seconds) == ("locked", 111)


def test_a_401_without_a_body_is_a_wrong_password() -> None:
    assert isinstance(codec.login_refusal(answer(b"", 401)), errors.WrongPassword)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\x00",
        b"<a>",
        b'<?xml version="1.0" encoding="klingon"?><a/>',
        b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>',
        b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>',
        b'<!DOCTYPE a [<!ATTLIST b c CDATA "in each b">]><a><b/><b/></a>',
        '<!DOCTYPE a [<!ATTLIST b c CDATA "in each b">]><a><b/><b/></a>'.encode("utf-16"),
        b"<!DOCTYPE a><a/>",
    ],
)
def test_broken_or_dangerous_xml_is_nonsense(body: bytes) -> None:
    with pytest.raises(Nonsense):
        codec.xml(answer(body))


def test_largest_xml_is_too_small_for_its_namespaces_to_fill_the_processor() -> None:
    assert 3 * len(recorded("seed_terminal/00_GET_AccessControl_capabilities.response.xml")) < codec.MAX_XML_BYTES
    assert codec.MAX_XML_BYTES <= 32 * 1024


@pytest.mark.parametrize("mark", [b"\xef\xbb\xbf", b"\xef\xbb\xbf\r\n"])
@pytest.mark.parametrize(
    ("ok", "no"),
    [
        (OK, b'{"statusCode":2}'),
        (
            b"<ResponseStatus><statusCode>1</statusCode></ResponseStatus>",
            b"<ResponseStatus><statusCode>2</statusCode></ResponseStatus>",
        ),
    ],
)
def test_an_envelope_may_begin_with_a_byte_order_mark(mark: bytes, ok: bytes, no: bytes) -> None:
    codec.confirmed(answer(mark + ok))
    with pytest.raises(errors.Busy):
        codec.checked(answer(mark + no))


def test_only_so_much_of_a_refusal_is_passed_on() -> None:
    words = {"statusCode": 6, "subStatusCode": "b" * 9999, "errorMsg": "c" * 9999}
    with pytest.raises(errors.Refused) as caught:
        codec.checked(answer(json.dumps(words).encode(), 400))
    error = caught.value
    assert (error.code, error.sub_status, error.message) == ("terminal:" + "b" * 55, "b" * 64, "c" * 255)


def test_what_is_misleading_is_told_by_the_end_of_a_long_message() -> None:
    words = {"statusCode": 6, "subStatusCode": "badJsonContent", "errorMsg": "c" * 9999 + " faceURL"}
    with pytest.raises(errors.FileTooLarge):
        codec.checked(answer(json.dumps(words).encode(), 400))


@pytest.mark.parametrize("seconds", ["-1", "-1800", "soon", ""])
def test_a_lock_that_ended_before_it_began_has_no_end(seconds: str) -> None:
    body = f"<userCheck><lockStatus>lock</lockStatus><unlockTime>{seconds}</unlockTime></userCheck>".encode()
    assert codec.user_check(answer(body, 401)) == codec.UserCheck(locked=True)


@pytest.mark.parametrize(("told", "taken"), [("0", 5), ("4", 5), ("61", 61)])
def test_a_lock_holds_for_a_few_seconds_at_least(told: str, taken: int) -> None:
    body = f"<userCheck><lockStatus>lock</lockStatus><unlockTime>{told}</unlockTime></userCheck>".encode()
    locked = codec.login_refusal(answer(body, 401))
    assert isinstance(locked, errors.AccountLocked)
    assert locked.unlock_seconds == taken


def test_an_unexpected_root_is_nonsense() -> None:
    with pytest.raises(Nonsense):
        codec.xml(answer(b"<html/>"), "DeviceInfo")


def test_deep_or_huge_json_is_nonsense() -> None:
    for body in (b'{"a":' * 100_000, b'{"a":' + b"9" * 10_000 + b"}"):
        with pytest.raises(Nonsense):
            codec.json_object(answer(body))


def test_a_name_cut_inside_a_letter_does_not_hide_the_page() -> None:
    assert codec.json_object(answer(b'{"name":"\xd0\x98\xd0"}')) == {"name": "И\ufffd"}


def test_the_zero_byte_after_a_text_in_c_is_not_read() -> None:
    assert codec.json_object(answer(b'{"name":"a"}\0\r\n')) == {"name": "a"}


@pytest.mark.parametrize("bad", ["\x00", "\x1b", "\n", "\x7f", "\x85", "\ud800"])
def test_what_no_database_takes_is_replaced_in_json(bad: str) -> None:
    words = {"name": f"a{bad}", "rows": [{"name": f"{bad}b"}, bad], "count": 1, "none": None}
    assert codec.json_object(answer(json.dumps(words).encode())) == {
        "name": "a\ufffd",
        "rows": [{"name": "\ufffdb"}, "\ufffd"],
        "count": 1,
        "none": None,
    }
    if bad.isascii() or bad == "\x85":
        assert codec.json_object(answer(f'{{"name":\t"a{bad}"}}'.encode())) == {"name": "a\ufffd"}


def test_a_letter_that_came_as_a_pair_of_surrogates_is_kept() -> None:
    assert codec.json_object(answer(b'{"name":"\\ud83d\\ude00"}')) == {"name": "\U0001f600"}


def test_what_no_log_takes_is_replaced_in_xml() -> None:
    body = "<ResponseStatus><statusCode>4</statusCode><subStatusCode>a\n\x85b</subStatusCode></ResponseStatus>".encode()
    with pytest.raises(errors.Refused) as caught:
        codec.checked(answer(body, 400))
    assert caught.value.code == "terminal:a\ufffd\ufffdb"
    assert codec.text(codec.xml(answer("<a><b> \x85\tc </b></a>".encode())), "b") == "c"
    assert codec.text(codec.xml(answer(b"<a><b>c\td</b></a>")), "b") == "c\ufffdd"


@pytest.mark.parametrize(
    ("read", "body", "limit"),
    [
        (codec.json_object, b'{"a":"%s"}', codec.MAX_STATUS_BYTES),
        (codec.xml, b"<aa><b>%s</b></aa>", codec.MAX_XML_BYTES),
        (codec.xml, b'<a xmlns:b="%s"><b:c/><b:d/></a>', codec.MAX_XML_BYTES),
    ],
)
def test_words_are_read_up_to_their_own_limit_only(read: Callable[[Answer], object], body: bytes, limit: int) -> None:
    frame = len(body) - 2

    read(answer(body % (b"x" * (limit - frame))))
    with pytest.raises(Nonsense) as caught:
        read(answer(body % (b"x" * (limit - frame + 1))))

    assert caught.value.message == "answer too large"


def test_json_goes_out_compact_and_readable() -> None:
    assert codec.to_json({"name": "Иван", "path": "a/b"}) == '{"name":"Иван","path":"a/b"}'.encode()


@settings(deadline=None)
@given(st.binary(max_size=300), st.sampled_from([200, 400, 404, 500]))
def test_junk_raises_nothing_but_terminal_errors(body: bytes, status: int) -> None:
    for read in (codec.checked, codec.confirmed, codec.user_check, codec.json_object, codec.xml):
        try:
            read(answer(body, status))
        except TerminalError:
            continue
