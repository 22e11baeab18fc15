"""The guides as a site, which `make site` builds into hikflask/help/, for whoever is signed in."""

import json
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

from flask import (
    Blueprint,
    Flask,
    Response,
    abort,
    current_app,
    make_response,
    redirect,
    render_template,
    send_from_directory,
    url_for,
)
from flask.typing import ResponseReturnValue
from flask_babel import get_locale

from hikflask.http.permissions import VIEWER, allow
from hikflask.web.security import headers
from hikflask.web.support.locale import LANGUAGES

bp = Blueprint("help", __name__, url_prefix="/help")

FOLDER = Path(__file__).parents[2] / "help"
# The build writes it last: the scripts that stand in the pages themselves, as a Content-Security-Policy names them.
SCRIPT_HASHES = "script-hashes.json"
FIRST_PAGE = "index.html"
# What Python does not know by itself: a small system has no list of types.
TYPES = {".webp": "image/webp"}


@dataclass(frozen=True)
class Site:
    """The built site: where it is, and the Content-Security-Policy of its pages."""

    folder: Path
    policy: str


def register(app: Flask) -> None:
    """Look once whether the site is built, and which scripts its pages have."""
    app.extensions["help"] = read(FOLDER)


def read(folder: Path) -> Site | None:
    """Return the site in a folder; None where none is built, or where its build was stopped at the end."""
    try:
        hashes = json.loads((folder / SCRIPT_HASHES).read_text(encoding="utf-8"))
    except (FileNotFoundError, json.JSONDecodeError):
        return None
    scripts = " ".join(("script-src 'self'", *(f"'{digest}'" for digest in hashes)))
    return Site(folder, f"{headers.POLICY}; {scripts}")


def built() -> Site | None:
    """Return the site; None where none is built."""
    site: Site | None = current_app.extensions["help"]
    return site


@bp.get("/")
@bp.get("/<language>/")
@allow(VIEWER)
def index(language: str = "") -> ResponseReturnValue:
    """Lead to the first page, in the language of the pages unless the address names one."""
    if built() is None:
        return _not_built()
    return redirect(url_for(".show", language=language or str(get_locale()), path=FIRST_PAGE))


@bp.get("/<language>/<path:path>")
@allow(VIEWER)
def show(language: str, path: str) -> ResponseReturnValue:
    """Answer a file of the site; nothing outside of it, and no list of a folder."""
    site = built()
    if site is None:
        return _not_built()
    if language not in LANGUAGES:
        abort(HTTPStatus.NOT_FOUND)
    response = send_from_directory(site.folder / language, path, mimetype=TYPES.get(Path(path).suffix))
    response.headers["Content-Security-Policy"] = site.policy
    response.headers["Cache-Control"] = "private, no-cache"
    return response


def _not_built() -> Response:
    return make_response(render_template("help/not_built.html"), HTTPStatus.NOT_FOUND)
