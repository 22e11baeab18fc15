"""Multipart bodies: the odd ones that come in, the exact one that goes out."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hikflask.isapi.errors import Nonsense, TerminalError
from hikflask.isapi.multipart import MAX_PARTS, PICTURE_NAMES, cut_jpeg, face_form, parts

from .helpers import JPEG, answer, recorded

DONE = b'<CaptureFaceData version="2.0"><captureProgress>100</captureProgress></CaptureFaceData>'
PARTS = (
    b'--MIME_boundary\r\nContent-Type:application/xml;charset="UTF-8"\r\nContent-Length:133\r\n\r\n' + DONE + b"\n\r\n"
    b'--MIME_boundary\r\nContent-Disposition: form-data;name="FaceData";filename="FaceData.jpg"\r\n'
    b"Content-Type:image/jpeg\r\nContent-Length:480\r\n\r\n" + JPEG + b"\r\n--MIME_boundary--\r\n"
)
OWN_HEADER = b"Content-Type:multipart/form-data;boundary=MIME_boundary\r\nContent-Length:480\r\n\r\n"


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (PARTS, "multipart/form-data; boundary=MIME_boundary"),
        (PARTS, 'Multipart/Form-Data; Boundary="MIME_boundary"'),
        (OWN_HEADER + PARTS, "application/xml"),
        (PARTS, "application/xml"),
        (b"\r\n" + PARTS, ""),
        (PARTS, "multipart/form-data; boundary=another"),
        (PARTS.replace(b"\r\n", b"\n"), ""),
    ],
)
def test_the_boundary_is_found_wherever_it_stands(body: bytes, content_type: str) -> None:
    document, picture = parts(answer(body, content_type=content_type))
    assert (document.strip(), picture) == (DONE, JPEG)


def test_a_part_without_headers_is_all_data() -> None:
    assert parts(answer(b"--b\r\n\r\n" + JPEG + b"\r\n--b--", content_type="")) == [JPEG]


def test_more_parts_than_any_terminal_sends_are_nonsense() -> None:
    few = b"--b\r\nA: 1\r\n\r\nx\r\n" * MAX_PARTS
    assert len(parts(answer(few + b"--b--", content_type=""))) == MAX_PARTS

    for end in (b"--b--", b""):
        with pytest.raises(Nonsense) as caught:
            parts(answer(few + b"--b\r\nA: 1\r\n\r\nx\r\n" + end, content_type=""))
        assert caught.value.message == "too many parts"


def test_a_body_that_is_no_multipart_is_one_part() -> None:
    assert parts(answer(JPEG, content_type="image/jpeg; x=y")) == [JPEG]


def test_an_empty_body_is_nonsense() -> None:
    with pytest.raises(Nonsense):
        parts(answer(b" \r\n"))


def test_a_jpeg_is_cut_out_of_what_surrounds_it() -> None:
    thumbnail_inside = b"\xff\xd8\xff\xe1\xff\xd8\xff\xdb..\xff\xd9..\xff\xd9"
    assert cut_jpeg(b"\r\n" + thumbnail_inside + b"\r\n--b--") == thumbnail_inside


@pytest.mark.parametrize(
    "data", [b"", b"text", b"\xff\xd8\xff no end", b"\xff\xd9 then \xff\xd8\xff", b"\xff\xd8\xff\xd9"]
)
def test_without_both_ends_there_is_no_jpeg(data: bytes) -> None:
    with pytest.raises(Nonsense):
        cut_jpeg(data)


PIECES = st.lists(
    st.sampled_from(
        [b"--", b"\r\n", b"\n", b"boundary=x", b"x", b"\xff\xd8\xff", b"\xff\xd9", b":", b"<a>", b"Content-Type:"]
    )
    | st.binary(max_size=8),
    max_size=30,
).map(b"".join)


@settings(deadline=None)
@given(PIECES)
def test_cutting_junk_gives_a_jpeg_or_nonsense(data: bytes) -> None:
    try:
        cut = cut_jpeg(data)
    except Nonsense:
        return
    assert cut in data
    assert cut.startswith(b"\xff\xd8\xff")
    assert cut.endswith(b"\xff\xd9")


@settings(deadline=None)
@given(PIECES, st.sampled_from(["", "multipart/form-data; boundary=x", "boundary=(((", "image/jpeg"]))
def test_reading_junk_gives_parts_or_a_terminal_error(body: bytes, content_type: str) -> None:
    try:
        found = parts(answer(body, content_type=content_type))
    except TerminalError:
        return
    assert found
    assert all(part in body for part in found)


def test_the_face_form_by_url_is_the_recorded_one_byte_for_byte() -> None:
    request = recorded("seed_terminal/38_PUT_Intelligent_FDLib_FDSetUp.request.txt")
    record = request.split(b"\r\n")[3]
    body, content_type = face_form(record, boundary="----WebKitFormBoundaryCjNI6HgBoH1FIFpi")
    assert body == request
    assert content_type == "multipart/form-data; boundary=----WebKitFormBoundaryCjNI6HgBoH1FIFpi"


@pytest.mark.parametrize("name", PICTURE_NAMES)
def test_the_face_form_by_picture_puts_the_typed_record_first_and_tells_each_length(name: str) -> None:
    body, _ = face_form(b'{"FPID":"1"}', JPEG, picture_name=name, boundary="b")
    assert body == (
        b'--b\r\nContent-Disposition: form-data; name="FaceDataRecord"\r\nContent-Type: application/json\r\n'
        b'Content-Length: 12\r\n\r\n{"FPID":"1"}\r\n'
        b'--b\r\nContent-Disposition: form-data; name="' + name.encode() + b'"; filename="face.jpg"\r\n'
        b"Content-Type: image/jpeg\r\nContent-Length: 13\r\n\r\n" + JPEG + b"\r\n--b--\r\n"
    )
