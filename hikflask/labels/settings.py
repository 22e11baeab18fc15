"""The words for settings: what each one does, its value, and where that comes from."""

import re
from dataclasses import dataclass
from typing import Any

from babel.units import format_unit
from flask import current_app
from flask_babel import LazyString, get_locale, gettext, ngettext
from flask_babel import lazy_gettext as _l
from markupsafe import Markup, escape
from sqlalchemy.engine import make_url

from hikflask.config import DAY, HOUR, PER_MINUTE, SECOND, SETTINGS, as_text
from hikflask.labels.operators import ROLES

NOTHING = "—"
# What a setting says in one word of the program.
WORDS = {
    "embedded": _l("inside the server"),
    "external": _l("as a process of its own"),
    "unix": _l("a Unix socket"),
    "warn": _l("warn when it is missing"),
    "require": _l("no photo without it"),
    "employed": _l("as long as the employee is active"),
    "never": _l("never keep"),
    "sha256": _l("sign-in with SHA-256"),
    "https": _l("https only"),
    "networks": _l("addresses of the given networks only"),
    "auto": _l("where OpenCV is installed"),
    "off": _l("switched off"),
    "poll": _l("terminals are asked"),
    "push": _l("terminals are asked, and tell by themselves"),
    "keep": _l("the terminal keeps them"),
    "discard": _l("the terminal does not keep them"),
    "show": _l("shown on the terminal's screen"),
    "hide": _l("not shown on the terminal's screen"),
    **ROLES,
}
LONGER_UNITS = ((3600, "hour"), (60, "minute"))


@dataclass(frozen=True)
class Words:
    """What people read of one setting, on the page and in the guides.

    `about`: what it does, in two sentences at most; code stands between backticks. `label`: its name, where an
    administrator changes it on the page. `choices`: the words among which one is chosen there, and `number`: where a
    number may be typed instead, what it is. `empty`: what an empty value says.
    """

    about: LazyString
    label: LazyString | str = ""
    choices: tuple[str, ...] = ()
    number: LazyString | str = ""
    empty: LazyString | str = NOTHING


# What an administrator changes on the page.
PERSONAL_DATA = {
    "CONSENT": Words(
        _l("What happens when a photo is taken without recorded consent."),
        _l("Consent to take a photo"),
        choices=("warn", "require"),
    ),
    "PHOTO_RETENTION": Words(
        _l("When the photo of an employee is deleted here."),
        _l("Photos are kept"),
        choices=("employed", "never"),
        number=_l("after so many days"),
    ),
    "CAPTURE_RETENTION": Words(
        _l(
            "When a picture that nobody saved is deleted, with what was typed beside it; not shorter than "
            "`HIKFLASK_CAPTURE_HOLD`."
        ),
        _l("Unsaved pictures are kept"),
    ),
    "EVENT_RETENTION": Words(_l("When the rows of ended captures are deleted."), _l("Ended captures are kept")),
    "JOB_RETENTION": Words(
        _l("When the report of a job for many people is deleted, and with it an import."),
        _l("Reports of jobs are kept"),
    ),
    "AUDIT_RETENTION": Words(
        _l("When entries of the audit trail are deleted. The database keeps each for 30 days at least."),
        _l("The audit trail is kept"),
    ),
}
TERMINALS = {
    "CAPTURE_TIMEOUT": Words(_l("How long a capture waits for a face."), _l("Time for a capture")),
    "CAPTURE_HOLD": Words(
        _l("How long a picture that nobody saved keeps its terminal from other employees."),
        _l("An unsaved picture holds its terminal"),
    ),
    "COMPARE_AT": Words(
        _l(
            "When each terminal in use is compared with what is desired there, once a night, in the zone of "
            "`HIKFLASK_TIMEZONE`."
        ),
        _l("Nightly comparison"),
        empty=_l("never"),
    ),
    "DRIFT_INTERVAL": Words(
        _l("How often an idle terminal is asked whether it answers, how many people it has, and about a few of them."),
        _l("Look at idle terminals"),
    ),
    "DOOR": Words(
        _l("Who may open the door on a terminal's page and by the API, once for each press; viewers never may."),
        _l("Open doors from here"),
        choices=("off", "admin", "operator"),
    ),
    "TIMEZONE": Words(
        _l("The zone in which times are shown and nights begin. Stored times are UTC."),
        _l("Time zone"),
        empty=_l("the machine's own"),
    ),
}
PASSAGES = {
    "PASSAGES": Words(
        _l("Whether it is kept who passed at the terminals, who was refused, and when."),
        _l("Record of passages"),
        choices=("off", "poll", "push"),
    ),
    "PASSAGES_INTERVAL": Words(
        _l("How often each terminal is asked what happened at its door."), _l("Read each terminal's passages")
    ),
    "PASSAGES_KEEP": Words(_l("When passages are deleted."), _l("Passages are kept")),
    "PASSAGES_PICTURES": Words(
        _l(
            "When the pictures that terminals take of passages are deleted here; 0 keeps none. Viewers do not see them."
        ),
        _l("Pictures of passages are kept"),
    ),
    "PASSAGES_DAY_START": Words(
        _l("When a day of work begins: a shift that ends before it counts to the day before."),
        _l("A day of work begins"),
        empty=_l("at midnight"),
    ),
    "PUSH_ADDRESS": Words(
        _l(
            "The address at which a terminal tells this server by itself that something happened; needed with "
            "`HIKFLASK_PASSAGES=push`."
        ),
        _l("Terminals reach this server at"),
    ),
    "TERMINAL_PICTURES": Words(
        _l("Whether terminals keep the pictures that they take of who passes."),
        _l("Pictures of passages at the terminal"),
        choices=("", "keep", "discard"),
        empty=_l("as the terminal is set"),
    ),
    "TERMINAL_NAMES": Words(
        _l("Whether terminals show who passes by name and ID."),
        _l("Names and IDs at the terminal"),
        choices=("", "show", "hide"),
        empty=_l("as the terminal is set"),
    ),
}
ALARMS = {
    "BACKUP_MAX_AGE": Words(
        _l("After how many hours without a backup the start page says so; 0 for never."),
        _l("A backup counts as old after"),
    ),
    "MAIL_TO": Words(
        _l("Who gets a mail about what cannot wait, and another one when it is over: addresses with commas between."),
        _l("Alarms are mailed to"),
        empty=_l("to nobody"),
    ),
    "MAIL_REMOVAL_HOURS": Words(
        _l("After how many hours without a confirmed removal a mail is sent."),
        _l("Mail when a removal is overdue"),
    ),
    "MAIL_SILENT_HOURS": Words(
        _l("After how many hours without an answer of a terminal a mail is sent."),
        _l("Mail when a terminal stops answering"),
    ),
    "WORKING_HOURS": Words(
        _l("When a mail may say that a terminal is silent; at other times it may just be switched off."),
        _l("Working hours"),
        empty=_l("all of the week"),
    ),
}
# What is set on the machine alone.
SIGN_IN = {
    "SESSION_IDLE": _l("A session ends when nobody did anything for so long."),
    "SESSION_LIFETIME": _l("A session ends after so long in any case."),
    "SESSIONS_PER_OPERATOR": _l("How many sessions one operator may have; with one more the oldest ends."),
    "SECOND_FACTOR_ROLES": _l("Which roles sign in with a second factor in any case."),
}
DIRECTORY = {
    "LDAP_URL": _l("The company's directory, by which operators may sign in."),
    "LDAP_CA": _l(
        "The file with the certificate of the directory's CA, or with its own self-signed one. Nothing else is trusted"
        " then."
    ),
    "LDAP_BIND_DN": _l("The program's own account in the directory, which may read people and groups."),
    "LDAP_BIND_PASSWORD": _l("The password of that account."),
    "LDAP_USER_DN": _l(
        "The address that people sign in with there, where the program has no account of its own; "
        "`{name}@corp.example`, too."
    ),
    "LDAP_BASE": _l("Where people are in the directory, such as `ou=people,dc=corp,dc=example`."),
    "LDAP_FILTER": _l("Which entries of the directory are people."),
    "LDAP_NAME": _l("The attribute that has the name to sign in with; in Active Directory `sAMAccountName`."),
    "LDAP_GROUPS": _l(
        "Which groups of the directory have which role, of which the highest counts: "
        "`admin:cn=hik-admins,ou=groups,dc=corp,dc=example; operator:cn=…`."
    ),
    "LDAP_TIMEOUT": _l(
        "How long the directory may take for an answer; all of its answers together have twelve times as long."
    ),
    "LDAP_CHECK_INTERVAL": _l(
        "How often the groups of those who are signed in are looked at again; it needs an account of the program's own."
    ),
}
MAIL = {
    "MAIL_SERVER": _l("The server that sends the mails about alarms; without one there are none."),
    "MAIL_PORT": _l("The port of the mail server."),
    "MAIL_TLS": _l(
        "How the connection to the mail server is encrypted (`tls` mostly on port 465). The machine must trust its "
        "certificate."
    ),
    "MAIL_USER": _l("The account at the mail server; empty for no sign-in."),
    "MAIL_PASSWORD": _l("The password of this account."),
    "MAIL_FROM": _l("The address that the mails come from."),
}
IMPORT_AND_API = {
    "IMPORT_FILE_LIMIT": _l(
        "The largest table of employees that is imported. A proxy in front has a limit of its own "
        "(`client_max_body_size`)."
    ),
    "API_LIMIT": _l("How often a program may call with one API token; more calls are answered 429."),
    "WEBHOOK_NETWORKS": _l(
        "The networks that webhooks may be in, with http, too. Without it: this machine with http, and any address "
        "with https."
    ),
    "IMPORT_PHOTOS_LIMIT": _l(
        "The largest ZIP of photos that is imported. A proxy in front has a limit of its own (`client_max_body_size`)."
    ),
}
AT_TERMINALS = {
    "WORKER_THREADS": _l(
        "How many threads a worker begins with: half of them for captures, the others for all else at terminals. Jobs "
        "for many people have two more."
    ),
    "WORKER_TERMINALS": _l(
        "At how many terminals one worker captures, and works, at the same time at most. For each active terminal it "
        "has a thread for captures and one for all else, and never fewer than half of `HIKFLASK_WORKER_THREADS` of "
        "each."
    ),
    "TERMINAL_THREADS": _l(
        "How many requests of a process may wait on terminals at a time; one more is answered 503. In the environment "
        "alone, since gunicorn reads it, too."
    ),
    "TERMINAL_CALLS": _l("How many of them one operator or API token may have; one more is answered 429."),
    "CAPTURE_PAUSE": _l(
        "The least time between a capture that succeeded and the next one at that terminal, which refuses one within a"
        " moment."
    ),
    "CONNECT_TIMEOUT": _l("How long the program tries to reach a terminal."),
    "READ_TIMEOUT": _l("How long a terminal may take for its whole answer."),
    "LEASE_WAIT": _l(
        "How long a page, a program or a capture waits until a terminal is free. The worker does not wait, it comes "
        "back."
    ),
    "UPLOAD_WAIT": _l(
        "How long an uploaded photo waits for those before it, of which there are five at most, and as long again "
        "until it is decoded. Then it is refused (503), to be tried again."
    ),
    "FACE_DETECTION": _l("Whether a face is looked for in photos before they are sent."),
    "RETRY_BASE": _l("The pause before the first retry; doubled each time."),
    "RETRY_MAX": _l("The longest pause between retries."),
    "SWEEP_INTERVAL": _l("How often the queue is checked."),
    "TERMINAL_NETWORKS": _l("The networks that terminals are connected to in."),
    "TERMINAL_REQUIRE": _l(
        "Required of every terminal: `https`, `sha256` (a Digest login with it), `networks` "
        "(`HIKFLASK_TERMINAL_NETWORKS` must be set)."
    ),
}
SERVER = {
    "SECRET_KEY": _l(
        "Signs cookies and forms; short and well-known keys are refused. Without it one is made once in "
        "`instance/secret_key` (0600)."
    ),
    "PASSWORD_KEY": _l(
        "The Fernet key that the terminals' passwords and the operators' second factors are encrypted with, or several"
        " with commas between, newest first; back it up apart from the database. Without it one is made once in "
        "`instance/password_key` (0600)."
    ),
    "DATABASE_URL": _l(
        "Where the database is; the queue goes with it. A server that does not answer is waited for 5 seconds; "
        "`?connect_timeout=10` at the end of the address is another time."
    ),
    "WORKER": _l("Where the work in the background runs; with `external` start `flask --app wsgi worker`."),
    "TRUSTED_PROXY": _l(
        "The trusted proxy, whose `X-Forwarded-For` and `X-Forwarded-Proto` are taken; `unix` is whoever comes by a "
        "Unix socket."
    ),
    "HOSTS": _l("The host names that the pages are called by, with spaces or commas between; others are answered 400."),
    "LOG_FORMAT": _l("Whether the log has lines, or JSON: an object on each line."),
    "LOG_LEVEL": _l("Minimum log level; `info` has each request, task and call to a terminal."),
    "METRICS_PORT": _l(
        "The port on which Prometheus reads the metrics without a token; a worker on its own has the next one."
    ),
    "METRICS_ADDRESS": _l(
        "Which of this machine's own addresses has these ports. `0.0.0.0` is for a container alone: the metrics are "
        "told there without a token."
    ),
    "BACKUP_KEEP": _l("How many backups stay in a folder, the newest ones; the command's `--keep` comes first."),
}
# The sections of the page in their order, by their anchors, and the settings that are changed there.
SECTIONS = {
    "personal-data": (_l("Personal data"), PERSONAL_DATA),
    "terminals": (_l("Capture and terminals"), TERMINALS),
    "passages": (_l("Passages"), PASSAGES),
    "alarms": (_l("Alarms"), ALARMS),
}
# The groups of what is set on the machine alone.
MACHINE = (
    (_l("Sign-in"), SIGN_IN),
    (_l("Company's directory"), DIRECTORY),
    (_l("Mail"), MAIL),
    (_l("Import and API"), IMPORT_AND_API),
    (_l("Work at terminals"), AT_TERMINALS),
    (_l("Server"), SERVER),
)
WORDS_OF: dict[str, Words] = {
    **{name: words for _, rows in SECTIONS.values() for name, words in rows.items()},
    **{name: Words(about) for _, rows in MACHINE for name, about in rows.items()},
}
# What is older than these is deleted, and cannot be brought back.
RETENTIONS = {name for name in WORDS_OF if name.endswith(("_RETENTION", "_KEEP", "_PICTURES"))}
CODE = re.compile(r"`(.+?)`")
UNITS = {SECOND: _l("in seconds"), HOUR: _l("in hours"), DAY: _l("in days")}
SOURCES = {
    "default": _l("default"),
    "file": _l("from instance/config.py"),
    "environment": _l("fixed in the environment of the machine"),
}


def source_label(name: str) -> str:
    """Return where the value comes from, when no administrator changed it on the page."""
    return str(SOURCES[current_app.config["SETTING_SOURCES"][name]])


def allowed_values(name: str) -> str:
    """Return which values a setting may have."""
    words = WORDS_OF[name]
    if words.choices:
        several = gettext("one of the list, or whole days, 1 or more")
        return str(several if words.number else gettext("one of the list"))
    return str(gettext(SETTINGS[name].allowed))


def unit_label(name: str) -> str:
    """Return what a number that is typed counts: seconds, days, or nothing."""
    return str(UNITS.get(SETTINGS[name].unit, ""))


def label(name: str) -> str:
    """Return the name of a setting for people; one without words by its name in the environment."""
    # The audit trail names settings that are no more.
    return str((name in WORDS_OF and WORDS_OF[name].label) or f"HIKFLASK_{name}")


def description(name: str) -> Markup:
    """Return what a setting does, for a page."""
    return Markup(CODE.sub(r"<code>\1</code>", str(escape(str(WORDS_OF[name].about)))))  # noqa: S704 - it is escaped.


def default_label(name: str, value: Any) -> str:
    """Return the default of a setting, or "" when the value is the default, or is one that pages do not show."""
    setting = SETTINGS[name]
    if setting.secret or name == "DATABASE_URL":
        return ""
    default = setting.read(setting.default)
    return "" if value == default else value_label(name, default)


def value_label(name: str, value: Any) -> str:
    """Return the value of a setting with its unit; of a secret, and of the database's password, nothing."""
    if SETTINGS[name].secret:
        return str(gettext("not shown")) if value else NOTHING
    if name == "DATABASE_URL":
        # The query may hold a password, too.
        return make_url(str(value)).set(query={}).render_as_string(hide_password=True)
    if name == "LDAP_GROUPS":
        return as_text(value) or NOTHING
    if isinstance(value, list | tuple):
        text = ", ".join(map(word_label, value))
    else:
        text = as_text(value) and _with_unit(value, SETTINGS[name].unit)
    return text or str(WORDS_OF[name].empty)


def _with_unit(value: Any, unit: str) -> str:
    text = as_text(value)
    # A retention may be a word instead of a number of days.
    if not unit or text.isalpha():
        return word_label(text)
    if unit == PER_MINUTE:
        return str(ngettext("%(num)s request per minute", "%(num)s requests per minute", value))
    number = float(value)
    if unit == SECOND:
        # In the longest unit in which it is whole.
        longer = ((number / size, name) for size, name in LONGER_UNITS if number >= size and number % size == 0)
        number, unit = next(longer, (number, unit))
    return str(format_unit(number, unit, "short", locale=str(get_locale())))


def word_label(value: Any) -> str:
    """Return a word of a setting in the language of the page, and anything else as it is."""
    return str(WORDS.get(str(value), value))
