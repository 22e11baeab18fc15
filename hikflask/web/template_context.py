"""What every template knows."""

from typing import Any

from flask import Flask, render_template
from flask_babel import get_locale
from jinja2 import pass_context
from jinja2.runtime import Context
from markupsafe import Markup

from hikflask import invisible_characters, messages
from hikflask.http import permissions
from hikflask.services.enrolments import queries
from hikflask.web.employees import enrolment_lines
from hikflask.web.security import current_operator, resubmission
from hikflask.web.support.actor_names import actor
from hikflask.web.support.locale import (
    LANGUAGES,
    exact_time,
    full_time,
    local_day,
    paper_time,
    time_at,
    time_since,
    valid_until,
)
from hikflask.web.support.urls import here

# What stands in the menu → the blueprints whose pages belong to it.
MENU = {
    "employees": {"employees", "captures", "consents"},
    "terminals": {"terminals"},
    "administration": {"administration", "operators", "tokens", "audit", "erasures", "removals"},
    "account": {"account"},
}
ALARM = "removals.index"


def register(app: Flask) -> None:
    """Give templates the words, the clock and the bar's figures."""
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.context_processor(known)
    words = (actor, initials, bdi, invisible_characters.isolated)
    for text in (time_at, time_since, exact_time, full_time, paper_time, local_day, valid_until, *words):
        app.add_template_filter(text)
    app.jinja_env.globals["gettext"] = isolating(app.jinja_env.globals["gettext"])


def known() -> dict[str, Any]:
    """Return the names that templates may use; the figures are counted only where a template asks."""
    return {
        "sentence": messages.sentence,
        "counted_bytes": messages.counted_bytes,
        "counted_letters": messages.counted_letters,
        "open_removals": queries.count_open_removals,
        "language": str(get_locale()),
        "languages": LANGUAGES,
        "here": here,
        "present_entry": present_entry,
        "present": current_operator.present,
        "may": may,
        "poll_seconds": enrolment_lines.poll_seconds,
    }


def present_entry() -> str:
    """Return which entry of the menu the page belongs to, `alarm` for that of open removals; "" where it is none."""
    endpoint = resubmission.shown_endpoint()
    if endpoint == ALARM:
        return "alarm"
    blueprint = endpoint.rpartition(".")[0]
    return next((entry for entry, blueprints in MENU.items() if blueprint in blueprints), "")


def may(role: str) -> bool:
    """True when whoever is signed in may do what this role may."""
    person = current_operator.present()
    return person is not None and permissions.may(person.role, role)


def with_alarm(fragment: str) -> str:
    """Return a fragment with the bar's alarm, which htmx puts where it belongs."""
    return fragment + render_template("employees/_removals_alarm.html", elsewhere=True)


def initials(name: str) -> str:
    """Return the first letters of the first two words, shown where there is no photo."""
    return "".join(word[0] for word in name.split()[:2]).upper()


def bdi(text: str) -> Markup:
    """Return what somebody typed, or a terminal said, so that it turns nothing beside it round."""
    return Markup("<bdi>{}</bdi>").format(invisible_characters.contained(text))


def isolating(gettext: Any) -> Any:
    """Return the templates' gettext so that no text put into a sentence turns the words beside it round."""

    @pass_context
    def isolated(context: Context, sentence: str, /, **about: Any) -> Any:
        return gettext(context, sentence, **invisible_characters.all_isolated(about))

    return isolated


def with_link(text: str, address: str, label: str) -> Markup:
    """Return a sentence for flash() that ends with a link."""
    return Markup('{} <a href="{}">{}</a>').format(text, address, label)
