"""Faces: bound by address or by picture, found, taken off, fetched."""

import json

import pytest

from hikflask.isapi import errors, faces

from .helpers import JPEG, Prepared, answer, recorded, refusal

URL = "https://192.168.1.67/LOCALS/pic/web_face_enrollpic.jpg@WEB000000000020"
SET_UP = "/ISAPI/Intelligent/FDLib/FDSetUp?format=json"
NOT_SUPPORTED = refusal("notSupport", status=404, status_code=4)


def matches(*rows: dict[str, object]) -> bytes:
    words = {"statusCode": 1, "statusString": "OK", "subStatusCode": "ok", "responseStatusStrg": "OK"}
    return json.dumps({**words, "totalMatches": len(rows), "MatchList": rows}).encode()


def test_binding_by_url_sends_the_recorded_body_but_for_the_boundary() -> None:
    client = Prepared(answer(recorded("seed_terminal/38_PUT_Intelligent_FDLib_FDSetUp.response.json")))
    faces.bind_url(client, "3242", URL)
    (sent,) = client.sent
    boundary = (sent.content_type or "").partition("boundary=")[2].encode()
    expected = recorded("seed_terminal/38_PUT_Intelligent_FDLib_FDSetUp.request.txt")
    assert (sent.data or b"").replace(boundary, b"----WebKitFormBoundaryCjNI6HgBoH1FIFpi") == expected
    assert (sent.method, sent.path) == ("PUT", SET_UP)
    assert isinstance(sent.data, bytes)


def test_the_url_goes_back_exactly_as_given() -> None:
    client = Prepared(answer())
    odd = "http://192.168.1./LOCALS/pic/лицо.jpg@WEB1?a=b&c"
    faces.bind_url(client, "1", odd)
    assert f'"faceURL":"{odd}"'.encode() in (client.sent[0].data or b"")


def test_binding_by_picture_sends_the_bytes_untouched() -> None:
    client = Prepared(answer())
    faces.bind_picture(client, "1", JPEG)
    body = client.sent[0].data or b""
    assert b'{"faceLibType":"blackFD","FDID":"1","FPID":"1"}' in body
    assert b'filename="face.jpg"\r\nContent-Type: image/jpeg\r\nContent-Length: 13\r\n\r\n' + JPEG in body


@pytest.mark.parametrize(
    ("sub_status", "message", "kind"),
    [
        ("SubpicAnalysisModelingError", "saveFacePic", errors.ModelingFailed),
        ("badJsonFormat", "faceURL", errors.FileTooLarge),
        ("alreadyExistThisFace", "", errors.SameFace),
        ("urlDownloadFail", "", errors.PictureLost),
    ],
)
def test_a_refused_face_raises_its_reason(sub_status: str, message: str, kind: type[errors.TerminalError]) -> None:
    with pytest.raises(kind):
        faces.bind_picture(Prepared(refusal(sub_status, message)), "1", JPEG)


def test_http_200_alone_binds_nothing() -> None:
    with pytest.raises(errors.Nonsense):
        faces.bind_url(Prepared(answer(b"<html/>")), "1", URL)


def test_a_face_is_found_by_its_own_number() -> None:
    client = Prepared(answer(matches({"FPID": "2", "faceURL": "x"}, {"FPID": "1", "faceURL": URL})))
    assert faces.find(client, "1") == faces.EnrolledFace(face_url=URL)
    expected = {"searchResultPosition": 0, "maxResults": 30, "faceLibType": "blackFD", "FDID": "1", "FPID": "1"}
    assert json.loads(client.sent[0].data or b"") == expected


def test_a_face_without_an_address_is_a_face() -> None:
    assert faces.find(Prepared(answer(matches({"FPID": "1"}))), "1") == faces.EnrolledFace(face_url=None)


@pytest.mark.parametrize("number", [1, "1 ", "1\x00\x00"])
def test_a_face_is_found_by_its_number_in_another_dress(number: object) -> None:
    assert faces.find(Prepared(answer(matches({"FPID": number}))), "1") is not None


def test_somebody_elses_face_is_no_face() -> None:
    nothing_more = answer(b'{"statusCode":1,"subStatusCode":"ok","responseStatusStrg":"NO MATCH","totalMatches":0}')
    assert faces.find(Prepared(answer(matches({"FPID": "11"})), nothing_more), "1") is None


def test_no_match_is_no_face() -> None:
    body = b'{"statusCode":1,"subStatusCode":"ok","responseStatusStrg":"NO MATCH","totalMatches":0}'
    assert faces.find(Prepared(answer(body)), "1") is None


@pytest.mark.parametrize(
    "words",
    [
        {},
        {"responseStatusStrg": "FAILED", "totalMatches": 0},
        {"responseStatusStrg": "OK", "totalMatches": 1},
        {"responseStatusStrg": "OK", "totalMatches": 1, "MatchList": "1"},
        {"responseStatusStrg": "OK", "totalMatches": 1, "MatchList": [{}]},
        {"responseStatusStrg": "OK", "totalMatches": 1, "MatchList": [{"FPID": ["1"]}]},
        {"responseStatusStrg": "OK", "totalMatches": 1, "MatchList": [{"FPID": [{"value": "1"}]}]},
        {"responseStatusStrg": "OK", "totalMatches": 1, "MatchList": [{"FPID": True}]},
    ],
)
def test_a_list_that_says_nothing_is_not_no_face(words: dict[str, object]) -> None:
    body = json.dumps({"statusCode": 1, "subStatusCode": "ok", **words}).encode()
    with pytest.raises(errors.Nonsense):
        faces.find(Prepared(answer(body)), "1")


def test_a_face_is_taken_off_by_its_number() -> None:
    client = Prepared(answer())
    faces.remove(client, "1")
    assert client.sent[0].data == b'{"FPID":[{"value":"1"}]}'
    assert client.sent[0].path == "/ISAPI/Intelligent/FDLib/FDSearch/Delete?format=json&FDID=1&faceLibType=blackFD"


def test_the_other_ways_are_tried_where_one_is_not_supported() -> None:
    client = Prepared(NOT_SUPPORTED, NOT_SUPPORTED, answer())
    faces.remove(client, "1")
    assert [sent.path for sent in client.sent[1:]] == [SET_UP, "/ISAPI/Intelligent/FDLib/FDDelete?format=json"]
    assert b'{"faceLibType":"blackFD","FDID":"1","FPID":"1","deleteFP":true}' in (client.sent[1].data or b"")
    assert client.sent[2].data == b'{"faceLibType":"blackFD","FDID":"1","FPID":"1"}'


def test_a_refused_removal_is_not_tried_another_way() -> None:
    client = Prepared(refusal("lowPrivilege", status=403))
    with pytest.raises(errors.NoRight):
        faces.remove(client, "1")
    assert len(client.sent) == 1


@pytest.mark.parametrize("number", ["", "a b", "Иван"])
def test_no_face_is_touched_for_a_bad_number(number: str) -> None:
    client = Prepared()
    for act in (
        faces.remove,
        faces.find,
        lambda c, n: faces.bind_url(c, n, URL),
        lambda c, n: faces.bind_picture(c, n, JPEG),
    ):
        with pytest.raises(ValueError, match="employee number"):
            act(client, number)
    assert client.sent == []


@pytest.mark.parametrize(
    ("face_url", "path"),
    [
        (URL, "/LOCALS/pic/web_face_enrollpic.jpg@WEB000000000020"),
        ("http://192.168.1.67:80/LOCALS/pic/a.jpg@WEB1?token=x", "/LOCALS/pic/a.jpg@WEB1"),
        ("https://192.168.1./LOCALS/pic/a.jpg", "/LOCALS/pic/a.jpg"),
        ("s://192.168/LOCALS/pic/a.jpg", "/LOCALS/pic/a.jpg"),
        ("/LOCALS/pic/a.jpg", "/LOCALS/pic/a.jpg"),
        ("https://[::1/picture/1.jpg#x", "/picture/1.jpg"),
    ],
)
def test_only_the_path_of_a_pictures_address_is_followed(face_url: str, path: str) -> None:
    client = Prepared(answer(b"\r\n" + JPEG + b"junk", content_type="image/jpeg"))
    assert faces.fetch_picture(client, face_url) == JPEG
    assert (client.sent[0].method, client.sent[0].path) == ("GET", path)


@pytest.mark.parametrize("face_url", ["/LOCALS/pic/" + "a" * 757, "a" * 60_000])
def test_an_address_that_is_too_long_is_nonsense_and_is_not_searched_for_a_path(face_url: str) -> None:
    client = Prepared()
    with pytest.raises(errors.Nonsense) as caught:
        faces.fetch_picture(client, face_url)
    assert (client.sent, caught.value.message) == ([], "the picture's URL is too long")


def test_a_host_is_looked_for_at_the_start_only() -> None:
    assert faces.picture_path("/pictures//1.jpg") == "/pictures//1.jpg"


@pytest.mark.parametrize("face_url", ["", "https://host", "web_face.jpg", "http://host/", "http://h/LOCALS/../ISAPI/x"])
def test_an_address_without_a_path_is_nonsense(face_url: str) -> None:
    client = Prepared()
    with pytest.raises(errors.Nonsense):
        faces.fetch_picture(client, face_url)
    assert client.sent == []


def test_a_picture_that_is_not_there_is_gone() -> None:
    with pytest.raises(errors.Gone) as caught:
        faces.fetch_picture(Prepared(answer(b"", 404)), URL)
    assert (caught.value.code, caught.value.http_status) == ("gone", 404)


def test_a_login_page_is_no_picture() -> None:
    with pytest.raises(errors.Nonsense):
        faces.fetch_picture(Prepared(answer(b"<html/>", content_type="text/html")), URL)


def test_a_refusal_instead_of_a_picture_is_that_refusal() -> None:
    with pytest.raises(errors.NoRight):
        faces.fetch_picture(Prepared(refusal("lowPrivilege", status=200)), URL)


@pytest.mark.parametrize(
    ("call", "method", "function"),
    [(faces.FaceCall.ADD, "POST", "FaceDataRecord"), (faces.FaceCall.REPLACE, "PUT", "FDModify")],
)
def test_the_older_calls_send_the_same_parts(call: faces.FaceCall, method: str, function: str) -> None:
    by_url, by_picture = Prepared(answer()), Prepared(answer())
    faces.bind_url(by_url, "100222", URL, call)
    faces.bind_picture(by_picture, "100222", JPEG, call)
    for client in (by_url, by_picture):
        assert (client.sent[0].method, client.sent[0].path) == (
            method,
            f"/ISAPI/Intelligent/FDLib/{function}?format=json",
        )
    assert f'"FPID":"100222","faceURL":"{URL}"'.encode() in (by_url.sent[0].data or b"")
    assert JPEG in (by_picture.sent[0].data or b"")
