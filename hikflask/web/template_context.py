"""The names and filters that every template can use."""

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from flask import Flask
from flask_babel import get_locale
from jinja2 import pass_context
from jinja2.runtime import Context
from markupsafe import Markup

from hikflask import messages, text_rules
from hikflask.labels import (
    attention,
    audit,
    comparisons,
    dates,
    days,
    disks,
    enrolments,
    events,
    imports,
    jobs,
    operators,
    passage_plots,
    passages,
    presence,
    reachability,
    schedules,
    settings,
    terminal_privacy,
    terminals,
    webhooks,
    why,
)
from hikflask.services.passages import switch
from hikflask.services.terminals import capacity, connection
from hikflask.web.help import chapters
from hikflask.web.security import current_operator, resubmission
from hikflask.web.support import attention_counts, htmx
from hikflask.web.support.locale import LANGUAGES
from hikflask.web.support.pagination import counted, counted_shortly, is_many
from hikflask.web.support.urls import here

# Entry of the menu → the blueprints whose pages belong to it.
MENU = {
    "attention": {"attention"},
    "employees": {"employees", "captures", "photo_drafts", "consents", "departments", "imports"},
    "terminals": {"terminals", "comparisons", "groups", "rounds"},
    "administration": {
        "administration",
        "settings",
        "operators",
        "tokens",
        "webhooks",
        "audit",
        "erasures",
        "removals",
    },
    "passages": {"passages", "presence", "days"},
    "jobs": {"jobs"},
    "account": {"account", "second_factor"},
}
ALARM = "removals.index"
# Templates see them as `labels.jobs` and so on.
LABELS = (
    *(
        attention,
        audit,
        comparisons,
        days,
        disks,
        enrolments,
        events,
        imports,
        jobs,
        operators,
        passage_plots,
        passages,
    ),
    *(presence, reachability, schedules, settings, terminal_privacy, terminals, why),
)


def register(app: Flask) -> None:
    """Add the names and filters to the templates."""
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.context_processor(names)
    texts = (
        counted,
        counted_shortly,
        initials,
        bdi,
        bdi_list,
        text_rules.isolated,
    )
    days = (dates.time_of, dates.paper_time, dates.local_day)
    times = (dates.time_ago, dates.time_at, dates.time_since, dates.full_time, *days)
    for text in (*times, dates.valid_until, terminals.counted_when, *texts):
        app.add_template_filter(text)
    app.add_template_filter(messages.actor_name, "actor")
    app.add_template_filter(webhooks.EVENTS.get, "webhook_event")
    app.add_template_filter(webhooks.outcome_label, "webhook_outcome")
    app.jinja_env.tests["many"] = is_many
    app.jinja_env.tests["full_of_faces"] = capacity.is_full_of_faces
    app.jinja_env.tests["out_of_reach"] = connection.is_out_of_reach
    app.jinja_env.globals["labels"] = {module.__name__.rpartition(".")[2]: module for module in LABELS}
    app.jinja_env.globals["help_link"] = chapters.link
    app.jinja_env.globals["cure"] = chapters.cure
    app.jinja_env.globals["gettext"] = isolating(app.jinja_env.globals["gettext"])


def names() -> dict[str, Any]:
    """Return the names; functions among them are called only by the templates that need them."""
    return {
        "sentence": messages.sentence,
        "refusal_sentence": messages.refusal_sentence,
        "counted_letters": messages.counted_letters,
        "attention": attention_counts.get,
        "language": str(get_locale()),
        "languages": LANGUAGES,
        "here": here,
        "menu_entry": menu_entry,
        "current_operator": current_operator.get,
        "may": current_operator.may,
        "poll_seconds": htmx.poll_seconds,
        "passages_are_on": switch.is_on,
    }


def menu_entry() -> str:
    """Return the entry of the menu that the page belongs to; `alarm` for the page of open removals, "" for none."""
    endpoint = resubmission.page_endpoint()
    if endpoint == ALARM:
        return "alarm"
    blueprint = endpoint.rpartition(".")[0]
    return next((entry for entry, blueprints in MENU.items() if blueprint in blueprints), "")


def initials(name: str) -> str:
    """Return the first letters of the first two words of a name, shown where there is no photo."""
    return "".join(word[0] for word in name.split()[:2]).upper()


def bdi(text: str) -> Markup:
    """Return text of others in <bdi>, so that it cannot change the direction of the text beside it."""
    return Markup("<bdi>{}</bdi>").format(text_rules.contained(text))


def bdi_list(texts: Iterable[str]) -> Markup:
    """Return texts of others, each in <bdi>, with commas between."""
    return _bdi_list(tuple(texts))


# The rows of a list mostly show the same ones.
@lru_cache(maxsize=256)
def _bdi_list(texts: tuple[str, ...]) -> Markup:
    return Markup(", ").join(map(bdi, texts))


def isolating(gettext: Any) -> Any:
    """Wrap the templates' gettext: texts put into a sentence cannot change the direction of its words."""

    @pass_context
    def isolated(context: Context, sentence: str, /, **about: Any) -> Any:
        return gettext(context, sentence, **text_rules.all_isolated(about))

    return isolated
