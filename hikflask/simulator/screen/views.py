"""The terminal's screen in a browser, `GET /` without login: its display, and buttons to show it a face or set a fault.

The display and the list of persons are frames that reload by themselves, so that a form keeps what was typed.
"""

import hashlib
import io
import re
from http import HTTPStatus

from flask import Blueprint, Response, abort, redirect, render_template, request, url_for
from PIL import Image, ImageOps, UnidentifiedImageError
from werkzeug.datastructures import FileStorage
from werkzeug.wrappers import Response as BaseResponse

from hikflask.simulator import faces
from hikflask.simulator.terminal.access import REFUSED, UNKNOWN
from hikflask.simulator.terminal.faults import KINDS
from hikflask.simulator.terminal.terminal import Terminal

MAX_SIDE = 480
CARD_NUMBER = re.compile(r"[A-Za-z0-9]{1,32}")
SHOWN_SECONDS = 6.0
"""How long the display shows the face that was captured."""
LOG_TAIL = 12
EVENTS_TAIL = 8
REFUSALS = frozenset({*UNKNOWN.values(), *REFUSED})
EVENT_WORDS = {
    (5, 75): ("лицо узнано", "face passed"),
    (5, 76): ("лицо не узнано", "face unknown"),
    (5, 1): ("карта", "card passed"),
    (5, 9): ("карта неизвестна", "card unknown"),
    (5, 6): ("нет права прохода", "no right"),
    (5, 7): ("вне часов доступа", "outside hours"),
    (5, 8): ("срок истёк", "expired"),
    (5, 117): ("дверь заперта", "door kept closed"),
    (5, 21): ("замок открыт", "lock opened"),
    (5, 22): ("замок закрыт", "lock closed"),
    (5, 23): ("кнопка выхода нажата", "exit button pressed"),
    (5, 24): ("кнопка выхода отпущена", "exit button released"),
    (5, 25): ("дверь открыта", "door opened"),
    (5, 26): ("дверь закрыта", "door closed"),
    (5, 28): ("дверь держат открытой", "door held open"),
    (1, 1030): ("вскрытие корпуса", "tampered with"),
    (2, 1024): ("включение", "power on"),
    (3, 123): ("перезагрузка по сети", "remote reboot"),
    (3, 1024): ("открыт по сети", "opened remotely"),
    (3, 1028): ("часы выставлены", "clock set"),
    (4, 1076): ("сотрудник удалён", "person deleted"),
}
"""What the screen says of the codes that the simulator itself writes; of others it shows the code."""
RUSSIAN_NAMES = {
    "anna": "Анна",
    "boris": "Борис",
    "clara": "Клара",
    "dmitri": "Дмитрий",
    "elena": "Елена",
    "farid": "Фарид",
}


class Screen:
    """The views of one terminal's screen."""

    def __init__(self, terminal: Terminal) -> None:
        self.terminal = terminal

    def page(self) -> str:
        return render_template("screen.html", terminal=self.terminal, names=RUSSIAN_NAMES, kinds=KINDS)

    def display(self) -> str:
        """The display alone, in one of its states.

        They are idle, waiting (for a face), card (waiting for one), visitor (a face waits), passed, refused, taken.
        """
        terminal = self.terminal
        with terminal.lock:
            camera, now, seconds = terminal.camera, terminal.clock.now(), 0
            if camera.window is not None:
                state, seconds = "waiting", max(1, round(camera.window.until - now))
            elif terminal.card_reader.until is not None:
                state, seconds = "card", max(1, round(terminal.card_reader.until - now))
            elif any(visitor.until >= now for visitor in camera.visitors):
                state = "visitor"
            elif camera.last_success is not None and now - camera.last_success < SHOWN_SECONDS:
                state = "taken"
            elif terminal.last_attempt is not None and now - terminal.last_attempt[1] < SHOWN_SECONDS:
                state = "refused" if terminal.last_attempt[0].minor in REFUSALS else "passed"
            else:
                state = "idle"
            return render_template("display.html", terminal=terminal, state=state, seconds=seconds)

    def people(self) -> str:
        terminal = self.terminal
        with terminal.lock:
            newest = terminal.events.records[-EVENTS_TAIL:][::-1]
            return render_template(
                "people.html", terminal=terminal, events=newest, words=EVENT_WORDS, log=terminal.log[-LOG_TAIL:][::-1]
            )

    def pass_by(self) -> BaseResponse:
        """Let the person `number` pass, or without it a stranger."""
        self.terminal.pass_by(request.form.get("number"))
        return redirect(url_for("screen.people"), 303)

    def drawn(self, name: str) -> Response:
        if name not in faces.NAMES:
            abort(404)
        return _jpeg(faces.draw(name))

    def file(self) -> Response:
        """The captured picture."""
        return _jpeg(self.terminal.file or abort(404))

    def enrolled(self, number: str) -> Response:
        face = self.terminal.faces.get(number)
        return _jpeg(face.jpeg) if face else abort(404)

    def present(self) -> BaseResponse:
        """Put a face in front of the camera: the drawn one called `name`, or the uploaded `picture`."""
        upload = request.files.get("picture")
        if upload:
            self.terminal.present_alone(_reencoded(upload))
            return _back()
        name = request.form.get("name", "")
        if name not in faces.NAMES:
            abort(HTTPStatus.UNPROCESSABLE_ENTITY)
        self.terminal.present_alone(faces.draw(name))
        return _back()

    def present_card(self) -> BaseResponse:
        """Hold the card `number` to the terminal."""
        number = request.form.get("number", "").strip()
        if not CARD_NUMBER.fullmatch(number):
            abort(HTTPStatus.UNPROCESSABLE_ENTITY)
        self.terminal.present_card(number)
        return _back()

    def add_fault(self) -> BaseResponse:
        form = request.form
        times = form.get("times", "")
        try:
            self.terminal.faults.add(
                form["name"], form.get("argument", ""), path=form.get("path", ""), times=int(times) if times else None
            )
        except (KeyError, ValueError):
            abort(HTTPStatus.UNPROCESSABLE_ENTITY)
        return _back()

    def clear_faults(self) -> BaseResponse:
        self.terminal.faults.clear()
        return _back()

    def trigger(self) -> BaseResponse:
        """Let an event of Terminal.trigger() happen now."""
        try:
            self.terminal.trigger(request.form.get("event", ""))
        except KeyError:
            abort(HTTPStatus.UNPROCESSABLE_ENTITY)
        return _back()

    def state(self) -> dict[str, object]:
        """The state as JSON, for programs; faces as SHA-256."""
        terminal = self.terminal
        with terminal.lock:
            return {
                "model": terminal.profile.model,
                "people": {number: person["name"] for number, person in terminal.people.items()},
                "faces": {number: face.sha256 for number, face in terminal.faces.items()},
                "file": hashlib.sha256(terminal.file).hexdigest() if terminal.file else None,
                "window_open": terminal.camera.window is not None,
                "card_window_open": terminal.card_reader.until is not None,
                "wrong_passwords": terminal.wrong_passwords,
                "log_length": len(terminal.log),
                "time": terminal.wall_clock.fields(),
            }

    def log(self) -> list[dict[str, object]]:
        entries = list(self.terminal.log)
        return [{"method": entry.method, "path": entry.path, "status": entry.status} for entry in entries]

    def clear_log(self) -> BaseResponse:
        self.terminal.log.clear()
        return Response(status=204)


def create_screen(terminal: Terminal) -> Blueprint:
    """Make the blueprint of one terminal's screen."""
    bp = Blueprint("screen", __name__, template_folder="templates", static_folder="static")
    screen = Screen(terminal)
    bp.add_url_rule("/", view_func=screen.page)
    bp.add_url_rule("/screen/display", view_func=screen.display)
    bp.add_url_rule("/screen/people", view_func=screen.people)
    bp.add_url_rule("/screen/drawn/<name>.jpg", view_func=screen.drawn)
    bp.add_url_rule("/screen/file.jpg", view_func=screen.file)
    bp.add_url_rule("/screen/enrolled/<path:number>.jpg", view_func=screen.enrolled)
    bp.add_url_rule("/screen/pass", view_func=screen.pass_by, methods=["POST"])
    bp.add_url_rule("/screen/present", view_func=screen.present, methods=["POST"])
    bp.add_url_rule("/screen/card", view_func=screen.present_card, methods=["POST"])
    bp.add_url_rule("/screen/faults", view_func=screen.add_fault, methods=["POST"])
    bp.add_url_rule("/screen/faults/clear", view_func=screen.clear_faults, methods=["POST"])
    bp.add_url_rule("/screen/events", view_func=screen.trigger, methods=["POST"])
    bp.add_url_rule("/screen/state", view_func=screen.state)
    bp.add_url_rule("/screen/log", view_func=screen.log)
    bp.add_url_rule("/screen/log", view_func=screen.clear_log, methods=["DELETE"])
    bp.add_url_rule("/screen/log/clear", view_func=screen.clear_log, methods=["POST"])
    return bp


def _back() -> BaseResponse:
    return redirect(url_for("screen.page"), 303)


def _jpeg(jpeg: bytes) -> Response:
    return Response(jpeg, content_type="image/jpeg", headers={"Cache-Control": "no-cache"})


def _reencoded(upload: FileStorage) -> bytes:
    """The uploaded picture as a terminal takes it: upright, baseline JPEG, at most 480 px."""
    try:
        image = ImageOps.exif_transpose(Image.open(io.BytesIO(upload.read())))
    except (UnidentifiedImageError, OSError, Image.DecompressionBombError):
        abort(HTTPStatus.UNPROCESSABLE_ENTITY)
    image.thumbnail((MAX_SIDE, MAX_SIDE))
    return faces.encode(image)
