"""A photo from a file is looked at, mended and asked about before it is saved, and nothing typed is lost meanwhile."""

import io
import re
from importlib.util import find_spec
from typing import Any

import pytest
from flask import Flask
from PIL import Image
from werkzeug.datastructures import FileStorage
from werkzeug.test import TestResponse, encode_multipart

from hikflask.extensions import db
from hikflask.models import Photo
from hikflask.models.accounts import OPERATOR
from hikflask.models.columns import database_now
from hikflask.services.photos import storage
from hikflask.services.terminals import checks, registry
from hikflask.services.terminals.registry import Access
from hikflask.simulator import SkippingClock
from hikflask.simulator import Terminal as Simulated
from hikflask.simulator.profiles import profile_named
from tests.conftest import PASSWORD
from tests.support.captures import FACE, OTHER_FACE
from tests.support.desk import ENGLISH, HTMX, Desk, typed
from tests.support.drawn_faces import FAIR, jpeg, landscape, place, portrait
from tests.support.filled_forms import Filled, form_to
from tests.support.signed_in import OPERATOR_NAME, OPERATOR_PASSWORD, client_of
from tests.support.wire import InProcess

QUESTION = {
    "ru": "Терминал, скорее всего, не примет это фото. Всё равно сохранить?",
    "en": "A terminal will probably refuse this photo. Save it all the same?",
}
GONE = {
    "ru": "Этого фото уже нет: оно уже сохранено или прошёл час. Выберите его ещё раз.",
    "en": "This photo is not there any more: it is saved already, or an hour has passed. Choose it again.",
}
TOO_SMALL = {
    "ru": [
        "Терминал, скорее всего, не примет это фото:",
        "Фото слишком маленькое: 240 × 320 пикселей. Длинной стороне нужно не меньше 400.",
    ],
    "en": [
        "A terminal will probably refuse this photo:",
        "The photo is too small: 240 × 320 pixels. The longer side needs at least 400.",
    ],
}
TINY = jpeg(Image.new("RGB", (40, 30)))
needs_face_detection = pytest.mark.skipif(find_spec("cv2") is None, reason="requirements-faces.txt is not installed")


@pytest.fixture
def settings(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Faces are looked for only where a test is about that: it takes a second for each photo."""
    about_faces = needs_face_detection.name in {mark.name for mark in request.node.iter_markers()}
    return {"FACE_DETECTION": "auto" if about_faces else "off"}


def send(
    desk: Desk, content: bytes, address: str = "/photo-drafts", headers: dict[str, str] | None = None, **changed: str
) -> TestResponse:
    """Submit the form with a chosen file."""
    form = {**typed(**changed), "photo": FileStorage(io.BytesIO(content), "face.jpg", "photo")}
    boundary, body = encode_multipart(form)
    kind = f"multipart/form-data; boundary={boundary}"
    return desk.client.post(address, data=body, content_type=kind, headers=headers)


def form_of(answer: TestResponse, address: str = "/employees/") -> Filled:
    return form_to(answer.text, address)


def token_in(page: str) -> str:
    (found,) = set(re.findall(r'name="photo_draft" value="([^"]+)"', page))
    return str(found)


def preview(desk: Desk, page: str) -> Image.Image:
    """The picture that the page shows."""
    with desk.client.get(f"/photo-drafts/{token_in(page)}") as answer:
        assert answer.status_code == 200
        return Image.open(io.BytesIO(answer.data))


def photo_of_employee(desk: Desk) -> bytes:
    path = desk.client.get("/api/users/").get_json()[0]["photo_path"]
    with desk.client.get(path) as answer:
        return bytes(answer.data)


def test_chosen_photo_is_shown_to_its_owner_with_what_is_typed_and_nothing_is_saved_yet(desk: Desk, app: Flask) -> None:
    answer = send(desk, FACE)
    token, fields = token_in(answer.text), form_of(answer).fields

    english = desk.client.post("/employees/new", data={**fields, "lang": "en"})
    again = desk.text(f"/employees/new?photo_draft={token}")

    assert answer.status_code == 200
    assert preview(desk, answer.text).size == (360, 480)
    assert all(fields[name] == value for name, value in typed().items())
    said = re.sub("[\u2068\u2069]", "", answer.text)
    assert "Размер, резкость и свет подходят." in said
    assert "Лицо на фото не искали: поиск лиц здесь не включён. Проверены только размер, резкость и свет." in said
    assert "Фото останется только на сервере: терминал «Вход» не принимает файлы." in said
    assert "Size, sharpness and light are good." in english.text
    assert token_in(english.text) == token_in(again) == token
    assert desk.client.get("/api/users/").json == []
    boris = client_of(app, OPERATOR, "Борис")
    assert boris.get(f"/photo-drafts/{token}").status_code == 404
    assert 'name="photo_draft"' not in boris.get(f"/employees/new?photo_draft={token}").text
    with desk.client.get(f"/photo-drafts/{token}") as own:
        assert (own.mimetype, own.headers["Cache-Control"]) == ("image/jpeg", "private, no-store")


def test_photo_is_saved_as_it_was_shown_and_once_though_it_is_sent_twice(desk: Desk) -> None:
    shown = send(desk, FACE)
    with desk.client.get(f"/photo-drafts/{token_in(shown.text)}") as answer:
        picture = answer.data

    first, second = form_of(shown).send(desk.client), form_of(shown).send(desk.client)

    assert first.location == second.location == "/employees/1"
    assert photo_of_employee(desk) == picture


def test_htmx_gets_the_panel_the_buttons_and_an_empty_field(desk: Desk) -> None:
    answer = send(desk, FACE, headers=HTMX)

    assert "<html" not in answer.text
    assert answer.headers["HX-Replace-Url"] == f"/employees/new?photo_draft={token_in(answer.text)}"
    assert re.findall(r'<(\w+) id="([\w-]+)"[^>]* hx-swap-oob="true"', answer.text) == [
        ("div", "next-step"),
        ("details", "by-file"),
    ]


def test_turned_photo_is_shown_and_saved_turned(desk: Desk) -> None:
    shown = form_of(send(desk, FACE))
    for what, size in (("left", (480, 360)), ("right", (360, 480)), ("over", (360, 480)), ("right", (480, 360))):
        turned = desk.client.post(f"/photo-drafts/{what}", data=shown.fields)
        assert turned.status_code == 200, what
        assert preview(desk, turned.text).size == size, what
        shown = form_of(turned)

    shown.send(desk.client, poor_photo="1")

    assert Image.open(io.BytesIO(photo_of_employee(desk))).size == (480, 360)


def test_unknown_change_is_not_found(desk: Desk) -> None:
    assert desk.client.post("/photo-drafts/upside-down", data=typed()).status_code == 404


@needs_face_detection
def test_each_thing_that_can_be_mended_has_one_button_and_is_gone_then(desk: Desk) -> None:
    wide = landscape((1600, 1200))
    place(wide, FAIR, (400, 600), 260)
    sideways = jpeg(wide.rotate(90, expand=True))

    lying = send(desk, sideways)
    upright = desk.client.post("/photo-drafts/right", data=form_of(lying).fields)
    cropped = desk.client.post("/photo-drafts/crop", data=form_of(upright).fields)
    whole = desk.client.post("/photo-drafts/whole", data=form_of(cropped).fields)

    assert "Фото повёрнуто" in lying.text
    assert 'id="photo-upright" type="submit" formaction="/photo-drafts/right"' in lying.text
    assert "Фото повёрнуто" not in upright.text
    assert 'id="photo-crop" type="submit" formaction="/photo-drafts/crop"' in upright.text
    assert "Фото подходит." in cropped.text
    assert preview(desk, cropped.text).width < preview(desk, cropped.text).height
    assert 'formaction="/photo-drafts/whole"' in cropped.text
    assert preview(desk, whole.text).size == preview(desk, upright.text).size


def test_small_things_are_said_and_not_asked_about(desk: Desk) -> None:
    shown = send(desk, jpeg(Image.new("RGB", (300, 400))))

    assert "Сохранить можно, но лучше исправить:" in shown.text
    assert "Фото слишком тёмное. Лицу нужно больше света." in shown.text
    assert form_of(shown).send(desk.client).status_code == 303


def test_photo_that_a_terminal_would_refuse_is_saved_only_after_a_question(desk: Desk) -> None:
    """Also where the file comes with Save and no page has shown what was found."""
    small = jpeg(portrait((240, 320)))
    shown = form_of(send(desk, small)).send(desk.client)
    asked = send(desk, small, "/employees/", poor_photo="0")
    english = form_of(asked).send(desk.client, ENGLISH)

    for language, answer in (("ru", shown), ("ru", asked), ("en", english)):
        assert answer.status_code == 422
        assert QUESTION[language] in answer.text
        for sentence in TOO_SMALL[language]:
            assert sentence in re.sub("[\u2068\u2069]", "", answer.text)
        assert 'form="employee-form" name="poor_photo" value="1"' in answer.text
    assert desk.client.get("/api/users/").json == []
    assert form_of(english).send(desk.client, poor_photo="1").status_code == 303
    assert photo_of_employee(desk)


def test_nothing_is_asked_of_a_good_photo_and_of_a_program(desk: Desk) -> None:
    good = send(desk, jpeg(portrait()), "/employees/", poor_photo="0", hikvision_id="100333")
    # It has no marks of the page, so nobody could answer.
    of_a_program = send(desk, jpeg(portrait((240, 320))), "/employees/", hikvision_id="100444")

    assert (good.status_code, of_a_program.status_code) == (303, 303)


def test_wrong_field_keeps_the_photo_that_was_sent_with_save(desk: Desk) -> None:
    wrong = send(desk, FACE, "/employees/", poor_photo="0", hikvision_id="A-1")

    assert wrong.status_code == 422
    assert preview(desk, wrong.text).size == (360, 480)
    assert form_of(wrong).send(desk.client, hikvision_id="A1").status_code == 303
    assert photo_of_employee(desk)


def test_no_picture_is_said_beside_the_field_and_the_one_before_stays(desk: Desk) -> None:
    shown = send(desk, FACE)
    token = token_in(shown.text)

    for headers in ({}, HTMX):
        refused = send(desk, b"text", headers=headers, photo_draft=token)
        assert refused.status_code == 422
        assert "Фото должно быть картинкой JPEG, PNG или WebP." in refused.text
        assert token_in(refused.text) == token


def test_button_without_a_file_says_what_to_do_and_a_closed_window_nothing(desk: Desk) -> None:
    pressed = desk.client.post("/photo-drafts", data=typed())
    english = desk.client.post("/photo-drafts", data=typed(), headers=ENGLISH)

    assert pressed.status_code == 422
    assert "Сначала выберите файл с фото." in pressed.text
    assert "Choose a photo file first." in english.text
    assert desk.client.post("/photo-drafts", data=typed(), headers=HTMX).status_code == 204


@pytest.mark.child_processes
def test_photo_whose_turn_does_not_come_is_refused_beside_its_field(desk: Desk, app: Flask) -> None:
    app.config["UPLOAD_WAIT"] = 0.001

    for address, language, sentence in (
        ("/photo-drafts", "ru", "Обрабатываются другие фото. Повторите через 1 с."),
        ("/employees/", "en", "Other photos are being processed. Try again in 1 s."),
    ):
        refused = send(desk, FACE, address, {"Accept-Language": language}, poor_photo="0")
        assert refused.status_code == 503
        assert sentence in refused.text
        assert 'id="photo-error"' in refused.text
        assert form_of(refused).fields["full_name"] == "Иван Иванов"


@pytest.mark.child_processes
def test_file_stays_chosen_in_a_browser_that_is_told_to_wait(desk: Desk, app: Flask) -> None:
    app.config["UPLOAD_WAIT"] = 0.001

    refused = send(desk, FACE, headers=HTMX)

    assert (refused.status_code, refused.headers["HX-Retarget"]) == (503, "#photo-says")
    assert "Обрабатываются другие фото. Повторите через 1 с." in refused.text
    assert "<input" not in refused.text


def test_password_that_is_asked_for_first_keeps_the_photo(desk: Desk, app: Flask) -> None:
    shown = form_of(send(desk, FACE))
    browser = app.test_client()
    asked = browser.post("/employees/", data=shown.fields)

    again = form_to(asked.text, "/sign-in").send(browser, name=OPERATOR_NAME, password=OPERATOR_PASSWORD)

    assert token_in(again.text) == shown.fields["photo_draft"]
    assert form_of(again).send(browser).status_code == 303
    assert photo_of_employee(desk)


def test_another_photo_forgets_the_first_one(desk: Desk, app: Flask) -> None:
    shown = send(desk, FACE)

    dropped = desk.client.post("/photo-drafts/drop", data=form_of(shown).fields)

    assert 'name="photo_draft"' not in dropped.text
    assert '<details id="by-file" class="by-file" open' in dropped.text
    with app.app_context():
        assert list(storage.folder().iterdir()) == []


def test_photo_that_is_gone_is_said_and_nobody_is_saved_without_it(desk: Desk, app: Flask) -> None:
    shown = form_of(send(desk, FACE))
    with app.app_context():
        db.session.execute(db.update(Photo).values(forgotten_at=database_now(-1)))
        db.session.commit()

    for language, sentence in GONE.items():
        headers = {"Accept-Language": language}
        saved = shown.send(desk.client, headers)
        turned = desk.client.post("/photo-drafts/left", data=shown.fields, headers=headers)

        for refused in (saved, turned):
            assert refused.status_code == 409
            assert sentence in refused.text
            assert refused.text.count("field-error") == 1
            assert form_of(refused).fields["full_name"] == "Иван Иванов"
    assert desk.client.get("/api/users/").json == []


def test_photo_replaces_the_present_one_and_goes_to_the_terminal_that_takes_files(
    desk: Desk, app: Flask, wire: InProcess
) -> None:
    employee = desk.save()
    second = Simulated(PASSWORD, clock=SkippingClock(), profile=profile_named("K1T341CMFW"))
    wire.put("second.test", second)
    with app.app_context():
        checks.check(registry.add(Access("Склад", "http://second.test", "admin", PASSWORD)).id, "test")

    shown = send(desk, OTHER_FACE, employee_id="1", terminal_id="2")
    saved = form_of(shown, employee).send(desk.client)
    desk.run_jobs()

    assert 'alt="Нынешнее фото"' in shown.text
    assert 'alt="Выбранное фото"' in shown.text
    assert "Фото останется только на сервере" not in shown.text
    assert saved.status_code == 303
    assert second.faces["100222"].jpeg == photo_of_employee(desk)
    assert "Есть на терминале «Склад»" in desk.text(employee)


def test_captured_face_replaces_the_photo(desk: Desk) -> None:
    shown = form_of(send(desk, FACE))
    desk.simulator.present_alone(FACE)

    place = desk.client.post("/captures", data=shown.fields).location
    running = desk.text(place)
    desk.run_jobs()
    captured = desk.text(place)

    assert f'name="draft_behind" value="{shown.fields["photo_draft"]}"' in running
    assert 'name="capture_id"' in captured
    assert 'name="photo_draft"' not in captured
    assert 'name="draft_behind"' not in captured


def test_photo_is_back_when_the_capture_ends_without_a_face(desk: Desk) -> None:
    shown = form_of(send(desk, FACE))
    place = desk.client.post("/captures", data=shown.fields).location
    running = form_to(desk.text(place), "/employees/")

    capture = place.partition("capture=")[2].partition("&")[0]
    desk.client.post(f"/captures/{capture}/cancel", data=running.fields)
    polled = desk.client.get(f"/captures/{capture}?draft_behind={running.fields['draft_behind']}", headers=HTMX)
    page = desk.text(place)

    for text in (polled.text, page):
        assert token_in(text) == shown.fields["photo_draft"]
        assert "Съёмка отменена." in text
    assert form_to(page, "/employees/").send(desk.client).status_code == 303
    assert photo_of_employee(desk)


def test_photo_that_is_shown_over_a_captured_face_is_saved(desk: Desk) -> None:
    capture_id = desk.capture()

    shown = send(desk, jpeg(landscape()), capture_id=capture_id)
    picture = preview(desk, shown.text).size
    saved = form_of(shown).send(desk.client)

    assert saved.status_code == 303
    assert Image.open(io.BytesIO(photo_of_employee(desk))).size == picture


def test_file_that_the_page_did_not_show_gives_way_to_a_captured_face(desk: Desk) -> None:
    capture_id = desk.capture()

    saved = send(desk, TINY, "/employees/", capture_id=capture_id, poor_photo="0")

    assert "Сохранено фото с терминала; файл не использован." in desk.text(saved.location)
    assert photo_of_employee(desk) == FACE


def test_only_pages_with_the_employee_form_may_use_the_camera(desk: Desk) -> None:
    employee = desk.save()
    with_form = [
        desk.client.get("/employees/new"),
        desk.client.get(f"{employee}/edit"),
        desk.client.post("/employees/", data=typed(full_name="")),
        desk.client.post("/employees/new", data=typed(lang="en")),
        send(desk, FACE),
    ]
    without = [desk.client.get(path) for path in (employee, "/employees/", "/attention", f"{employee}/delete")]

    policies = [answer.headers["Permissions-Policy"].split(", ") for answer in with_form + without]

    assert ["camera=(self)" in one for one in policies] == [True] * len(with_form) + [False] * len(without)
    assert ["camera=()" in one for one in policies] == [False] * len(with_form) + [True] * len(without)
    assert all("microphone=()" in one for one in policies)
