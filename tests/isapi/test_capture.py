"""Taking a face: the families of terminals, the deadline, the cancel."""

from collections.abc import Callable

import pytest

from hikflask.isapi import capture, errors
from hikflask.isapi.answer import Answer

from .helpers import JPEG, Prepared, answer, recorded, refusal
from .test_multipart import OWN_HEADER, PARTS

DONE = recorded("seed_terminal/30_POST_AccessControl_CaptureFaceData.response.xml")
URL = "https://192.168.1.67/LOCALS/pic/web_face_enrollpic.jpg@WEB000000000020"
NOBODY = b"<CaptureFaceData><captureProgress>0</captureProgress></CaptureFaceData>"


class Watch:
    """A clock that only pauses and answers move."""

    def __init__(self, seconds: float = 30.0) -> None:
        self.left = seconds
        self.pauses: list[float] = []

    def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.left -= seconds


def take(
    *answers: Answer | Exception,
    modes: tuple[str, ...] = ("url",),
    watch: Watch | None = None,
    cancelled: Callable[[], bool] = lambda: False,
) -> tuple[capture.Captured, Prepared, Watch]:
    client, watch = Prepared(*answers), watch or Watch()
    found = capture.take(client, modes=modes, seconds_left=lambda: watch.left, cancelled=cancelled, pause=watch.pause)
    return found, client, watch


def xml(body: bytes) -> Answer:
    return answer(body, content_type="application/xml")


def test_the_request_is_the_recorded_one_byte_for_byte() -> None:
    found, client, _ = take(xml(DONE))
    (sent,) = client.sent
    assert sent.data == recorded("seed_terminal/30_POST_AccessControl_CaptureFaceData.request.txt")
    assert (sent.method, sent.path) == ("POST", "/ISAPI/AccessControl/CaptureFaceData")
    assert sent.content_type == "application/x-www-form-urlencoded"
    assert found == capture.Captured(face_url=URL)


def test_binary_mode_asks_for_the_picture_itself() -> None:
    _, client, _ = take(answer(JPEG, content_type="image/jpeg"), modes=("binary",))
    assert b"<dataType>binary</dataType>" in (client.sent[0].data or b"")


def test_another_mode_is_refused_before_anything_is_sent() -> None:
    with pytest.raises(ValueError, match="url or binary"):
        take(modes=("url", "<x/>"))


def test_the_published_names_of_root_and_child_are_accepted() -> None:
    body = DONE.replace(b"CaptureFaceData ", b"CaptureFaceDataResponse ").replace(
        b"/CaptureFaceData>", b"/CaptureFaceDataResponse>"
    )
    found, _, _ = take(xml(body.replace(b"faceDataUrl", b"faceURL")))
    assert found.face_url == URL


def test_the_infrared_picture_is_not_taken_for_the_face() -> None:
    body = b"<CaptureFaceData><infraredFaceDataUrl>http://x/ir</infraredFaceDataUrl><faceDataUrl>http://x/LOCALS/a&amp;b</faceDataUrl></CaptureFaceData>"
    assert take(xml(body))[0].face_url == "http://x/LOCALS/a&b"


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (PARTS, "multipart/form-data; boundary=MIME_boundary"),
        (OWN_HEADER + PARTS, "application/xml"),
        (PARTS.replace(b'name="FaceData";', b""), "application/xml"),
        (JPEG, "image/jpeg"),
        (b"\r\n" + JPEG + b"\r\n", "application/xml"),
        (b"<CaptureFaceData><captureProgress>100</captureProgress></CaptureFaceData>\r\n" + JPEG, "application/xml"),
    ],
)
def test_the_picture_is_found_in_every_kind_of_binary_answer(body: bytes, content_type: str) -> None:
    found, client, _ = take(answer(body, content_type=content_type), modes=("binary",))
    assert found == capture.Captured(picture=JPEG)
    assert len(client.sent) == 1


def test_nobody_there_is_asked_again_a_second_later() -> None:
    found, client, watch = take(xml(NOBODY), xml(NOBODY), xml(DONE))
    assert found.face_url == URL
    assert len(client.sent) == 3
    assert watch.pauses == [1.0, 1.0]


def test_nobody_until_the_deadline_is_a_timeout() -> None:
    with pytest.raises(errors.CaptureTimeout) as caught:
        take(*[xml(NOBODY)] * 3, watch=Watch(2.5))
    assert (caught.value.code, caught.value.status_code) == ("capturetimeout", None)


def test_each_read_may_last_until_the_deadline_and_a_little() -> None:
    _, client, _ = take(xml(NOBODY), xml(DONE), watch=Watch(10.0))
    assert [sent.timeout for sent in client.sent] == [(3.05, 11.5), (3.05, 10.5)]


def test_the_terminals_own_timeout_is_final() -> None:
    body = recorded("other_terminals/capture_timeout_400_K1T342MX-E1.xml")
    with pytest.raises(errors.CaptureTimeout) as caught:
        take(answer(body, 400, "application/xml"))
    assert caught.value.status_code == 3


def test_busy_is_asked_once_more_after_three_seconds() -> None:
    found, _, watch = take(refusal("deviceBusy", "dataType", status_code=2), xml(DONE))
    assert found.face_url == URL
    assert watch.pauses == [3.0]


def test_busy_twice_is_busy() -> None:
    busy = refusal("deviceBusy", status_code=2)
    with pytest.raises(errors.Busy):
        take(busy, busy)


def test_busy_near_the_deadline_is_not_waited_for() -> None:
    watch = Watch(2.0)
    with pytest.raises(errors.Busy):
        take(refusal("deviceBusy", status_code=2), watch=watch)
    assert watch.pauses == []


def test_a_cancel_before_the_first_request_sends_nothing() -> None:
    client = Prepared()
    with pytest.raises(errors.CaptureCancelled):
        capture.take(client, modes=("url",), seconds_left=lambda: 30, cancelled=lambda: True, pause=lambda _: None)
    assert client.sent == []


def test_a_cancel_while_waiting_drops_the_face() -> None:
    calls = iter([False, True])
    with pytest.raises(errors.CaptureCancelled) as caught:
        take(xml(DONE), cancelled=lambda: next(calls))
    assert caught.value.code == "cancelled"


@pytest.mark.parametrize(
    ("answered", "last_asked", "error"),
    [
        # Its windows last 3 s, and the last one is open at the deadline.
        ([3.0, 3.0], 2.5, errors.CaptureTimeout),
        # It is silent for longer than ever before.
        ([3.0, 3.0], 8.0, errors.NoAnswer),
        ([0.1], 20.0, errors.NoAnswer),
        # Some models answer nothing before somebody comes.
        ([], 20.0, errors.CaptureUnanswered),
    ],
)
def test_silence_at_the_deadline_is_judged_by_the_earlier_answers(
    answered: list[float], last_asked: float, error: type[errors.TerminalError]
) -> None:
    watch, windows = Watch(30.0), iter(answered)

    class Silent(Prepared):
        def request(self, *_: object, **__: object) -> Answer:
            window = next(windows, None)
            if window is None:
                watch.left = -capture.READ_MARGIN
                raise errors.NoAnswer
            watch.left -= window
            return xml(NOBODY)

    def pause(seconds: float) -> None:
        watch.left = watch.left - seconds if len(watch.pauses) + 1 < len(answered) else last_asked
        watch.pauses.append(seconds)

    with pytest.raises(errors.TerminalError) as caught:
        capture.take(Silent(), modes=("url",), seconds_left=lambda: watch.left, cancelled=lambda: False, pause=pause)
    assert type(caught.value) is error


def test_a_connection_lost_before_the_deadline_stays_no_answer() -> None:
    with pytest.raises(errors.NoAnswer):
        take(errors.NoAnswer())


@pytest.mark.parametrize("body", [b"<html/>", b"", b'{"statusCode":1,"subStatusCode":"ok"}'])
def test_what_is_no_capture_is_nonsense_and_not_asked_again(body: bytes) -> None:
    with pytest.raises(errors.Nonsense) as caught:
        take(xml(body))
    assert caught.value.code == "nonsense"


FINISHED = b"<CaptureFaceData><captureProgress>100</captureProgress></CaptureFaceData>"
# Answers of terminals in front of which nobody stands.
NOBODY_YET = [
    xml(FINISHED),
    xml(b"<CaptureFaceData><captureProgress>100</captureProgress><faceDataUrl/></CaptureFaceData>"),
    answer(PARTS[: PARTS.rindex(b"--MIME_boundary\r\n")] + b"--MIME_boundary--\r\n", content_type=""),
    refusal("deviceError", status_code=3),
]


@pytest.mark.parametrize("nobody", NOBODY_YET)
def test_end_without_a_picture_is_that_nobody_is_there_yet(nobody: Answer) -> None:
    found, client, watch = take(nobody, nobody, xml(DONE))
    assert (found.face_url, len(client.sent), watch.pauses) == (URL, 3, [1.0, 1.0])


@pytest.mark.parametrize("nobody", NOBODY_YET)
def test_end_without_a_picture_until_the_deadline_is_a_timeout(nobody: Answer) -> None:
    with pytest.raises(errors.CaptureTimeout) as caught:
        take(nobody, nobody, watch=Watch(1.5))
    assert caught.value.code == "capturetimeout"


def test_time_out_in_other_words_is_the_same_and_final() -> None:
    with pytest.raises(errors.CaptureTimeout) as caught:
        take(refusal("timeOut", status_code=3))
    assert (caught.value.code, caught.value.sub_status) == ("capturetimeout", "timeOut")


@pytest.mark.parametrize(
    "body",
    [
        b"\xff\xd8\xff cut off",
        FINISHED + b"\r\n\xff\xd8\xff cut off",
        PARTS.replace(JPEG, b"\xff\xd8\xff cut off"),
        PARTS.replace(JPEG, b"no picture at all"),
    ],
)
def test_picture_that_is_none_ends_the_capture(body: bytes) -> None:
    """It is a success to the terminal, so no POST may follow."""
    with pytest.raises(errors.UnusablePicture) as caught:
        take(answer(body, content_type="application/xml"), modes=("binary",))
    assert caught.value.code == "unusable_picture"


def test_a_model_without_capture_says_so() -> None:
    with pytest.raises(errors.CaptureNotSupported) as refused:
        take(refusal("notSupport", status=404, status_code=4))
    assert (refused.value.code, refused.value.http_status) == ("notsupport", 404)


UNKNOWN_MODE = [refusal("badParameters", "dataType"), refusal("notSupport", status=404), answer(b"<html/>", 405)]


@pytest.mark.parametrize("unknown", UNKNOWN_MODE)
def test_where_the_mode_is_unknown_the_picture_is_asked_for_after_its_url(unknown: Answer) -> None:
    found, client, _ = take(unknown, answer(JPEG, content_type="image/jpeg"), modes=("url", "binary"))
    asked = [sent.data or b"" for sent in client.sent]
    assert [b"<dataType>url<" in asked[0], b"<dataType>binary<" in asked[1], len(asked)] == [True, True, 2]
    assert found == capture.Captured(picture=JPEG)


def test_a_mode_that_works_is_not_followed_by_another() -> None:
    found, client, _ = take(xml(DONE), modes=("url", "binary"))
    assert (found.face_url, len(client.sent)) == (URL, 1)


@pytest.mark.parametrize("final", ["captureTimeout", "faceLowQulity", "lowPrivilege"])
def test_a_refusal_that_is_not_about_the_mode_is_final(final: str) -> None:
    client = Prepared(refusal(final))
    with pytest.raises(errors.Refused):
        capture.take(client, modes=("url", "binary"), seconds_left=lambda: 9.0, cancelled=lambda: False)
    assert len(client.sent) == 1


def test_a_model_that_knows_neither_mode_cannot_capture() -> None:
    with pytest.raises(errors.CaptureNotSupported):
        take(*[refusal("notSupport", status=404)] * 2, modes=("url", "binary"))


@pytest.mark.parametrize("turn", [1, -1])
def test_a_refusal_that_may_be_over_in_a_moment_is_not_that_it_cannot_capture(turn: int) -> None:
    """A capture at the terminal's own page a moment ago gets this answer, too (one recording)."""
    refusals = [refusal("badParameters", "dataType"), refusal("notSupport", status=404)][::turn]
    with pytest.raises(errors.Refused) as refused:
        take(*refusals, modes=("url", "binary"))
    assert refused.value.sub_status == "badParameters"


def test_an_answer_may_begin_with_a_byte_order_mark() -> None:
    mark = b"\xef\xbb\xbf"
    found, client, _ = take(xml(mark + NOBODY), xml(mark + DONE))
    assert (found.face_url, len(client.sent)) == (URL, 2)


def test_the_seed_terminal_can_all_three() -> None:
    client = Prepared(xml(recorded("seed_terminal/14_GET_AccessControl_CaptureFaceData_capabilities.response.xml")))
    assert capture.capabilities(client) == capture.CaptureModes(url=True, binary=True, cancel=True)


def test_a_terminal_that_lists_binary_only_has_no_url() -> None:
    body = b'<CaptureFaceData><CaptureFaceDataCond><dataType opt="binary"/></CaptureFaceDataCond></CaptureFaceData>'
    assert capture.capabilities(Prepared(xml(body))) == capture.CaptureModes(url=False, binary=True, cancel=False)


def test_a_terminal_that_lists_nothing_offers_nothing() -> None:
    assert capture.capabilities(Prepared(xml(b"<CaptureFaceData/>"))) == capture.CaptureModes()


@pytest.mark.parametrize("reply", [answer(), refusal("badParameters"), answer(b"", 500)])
def test_any_answer_to_a_cancel_is_fine(reply: Answer) -> None:
    client = Prepared(reply)
    capture.cancel(client)
    assert b"<cancelFlag>true</cancelFlag>" in (client.sent[0].data or b"")


def test_a_picture_stays_out_of_the_repr() -> None:
    assert "picture" not in repr(capture.Captured(picture=JPEG))
