"""The language and the clock of the page: by choice, by the browser, else Russian and the machine's own zone."""

from datetime import UTC, date, datetime, timedelta

from babel.dates import format_date, format_datetime
from flask import Blueprint, Response, has_request_context, make_response, redirect, request
from flask_babel import force_locale, get_locale
from flask_babel import gettext as _

from hikflask.http.permissions import VIEWER, allow, is_api_call
from hikflask.messages import N_
from hikflask.services.core.dates import timezone, today
from hikflask.web.security import password_prompt
from hikflask.web.support.urls import next_or, page_before, present_address

bp = Blueprint("language", __name__)

LANGUAGES = {"ru": "Русский", "en": "English"}
DEFAULT = "ru"
API_LANGUAGE = "en"
COOKIE = "lang"
# Pages that nobody is signed in on, and papers for somebody else to read: links choose the language, not a form.
BY_LINK = {"sign_in.ask", "first_run.ask", "consents.printed", "consents.blank", "erasures.show"}
YEAR_SECONDS = 365 * 24 * 3600
ONE_DAY = timedelta(days=1)

# How a moment is said that is of today, of this year, of another year: patterns of Babel, in the words of the language.
AT = (N_("'at' HH:mm"), N_("'on' d MMMM 'at' HH:mm"), N_("'on' d MMMM y 'at' HH:mm"))
SINCE = ("HH:mm", N_("HH:mm 'on' d MMMM"), N_("HH:mm 'on' d MMMM y"))
TO_THE_SECOND = N_("'on' d MMMM y 'at' HH:mm:ss")


def locale() -> str:
    """Return the language of this answer."""
    if not has_request_context():
        return DEFAULT
    if is_api_call():
        return API_LANGUAGE
    asked = request.args.get("lang") if request.endpoint in BY_LINK else None
    for chosen in (asked, request.cookies.get(COOKIE)):
        if chosen in LANGUAGES:
            return chosen
    return request.accept_languages.best_match(LANGUAGES, DEFAULT)


def time_at(moment: datetime, now: datetime | None = None) -> str:
    """Return when something is, with its preposition: “at 11:25” today, else “on 25 November at 11:25”.

    :param now: the present moment, if it is not the clock's.
    """
    return _in_words(moment, AT[_distance(moment, now)])


def time_since(moment: datetime, now: datetime | None = None) -> str:
    """Return a moment as it follows “since” and “until”: “11:25” today, else “11:25 on 25 November”; `now` as above."""
    return _in_words(moment, SINCE[_distance(moment, now)])


def exact_time(moment: datetime) -> str:
    """Return when something was, with its preposition, year and second."""
    return _in_words(moment, TO_THE_SECOND)


def _distance(moment: datetime, now: datetime | None) -> int:
    """Return which pattern of three is meant: of today, of this year, or of another year."""
    day, present = moment.astimezone(timezone()).date(), today(now)
    if day == present:
        return 0
    return 1 if day.year == present.year else 2


def _in_words(moment: datetime, pattern: str) -> str:
    return str(format_datetime(moment, _(pattern), tzinfo=timezone(), locale=str(get_locale())))


def start_of(day: date) -> datetime:
    """Return the moment when a day begins here."""
    naive = datetime(day.year, day.month, day.day, tzinfo=UTC)
    # The offset at midnight UTC may be another one than at midnight here, on the day when the clocks change.
    near = naive - _offset(naive)
    return naive - _offset(near)


def end_of(day: date) -> datetime:
    """Return the moment when a day is over here."""
    return start_of(day + ONE_DAY)


def valid_until(ends: datetime) -> str:
    """Return the end of something as people read it: the last whole day where it ends with one, else the moment."""
    last = ends.astimezone(timezone()).date() - ONE_DAY
    if ends == end_of(last):
        return str(_("%(day)s inclusive", day=local_day(last)))
    return _in_words(ends, SINCE[-1])


def _offset(moment: datetime) -> timedelta:
    return moment.astimezone(timezone()).utcoffset() or timedelta()


def full_time(moment: datetime) -> str:
    """Return a moment as a table has it, with its year and second."""
    return str(format_datetime(moment, "d MMM y, HH:mm:ss", tzinfo=timezone(), locale=str(get_locale())))


def local_day(day: date) -> str:
    """Return a day with its year; of a moment, the day it was here."""
    shown = day.astimezone(timezone()).date() if isinstance(day, datetime) else day
    return str(format_date(shown, "d MMMM y", locale=str(get_locale())))


def paper_time(moment: datetime) -> str:
    """Return a moment as a paper says it: day, year, time and zone."""
    return f"{exact_time(moment)} {_zone(_offset(moment))}"


def _zone(offset: timedelta) -> str:
    """Name an offset as UTC, or as hours and minutes from it; Babel takes half hours west of it for later ones."""
    minutes = round(offset.total_seconds() / 60)
    hours, rest = divmod(abs(minutes), 60)
    return f"UTC{'-' if minutes < 0 else '+'}{hours:02}:{rest:02}" if minutes else "UTC"


@bp.post("/language")
@allow(VIEWER)
def choose() -> Response:
    """Remember the language in a cookie and go back to the page, as its address is now."""
    response = make_response(redirect(present_address(next_or("/")), 303))
    remember(response, request.form.get("lang"))
    return response


@bp.post("/language/form")
@allow(VIEWER)
def choose_in_form() -> Response:
    """The form as it is typed, in another language; `?action=` says where it goes when it is sent."""
    chosen = request.form.get("lang")
    with force_locale(chosen if chosen in LANGUAGES else str(get_locale())):
        response = password_prompt.as_typed(request.args.get("action", "")) or make_response(
            redirect(page_before(), 303)
        )
    remember(response, chosen)
    return response


def remember(response: Response, chosen: str | None) -> None:
    """Keep the chosen language in a cookie, when it is one of ours."""
    if chosen in LANGUAGES:
        response.set_cookie(
            COOKIE, chosen, max_age=YEAR_SECONDS, httponly=True, samesite="Lax", secure=request.is_secure
        )
