"""The words for settings: what each one does, its value, and where that comes from."""

from typing import Any

from babel.units import format_unit
from flask import current_app
from flask_babel import get_locale, gettext, ngettext
from flask_babel import lazy_gettext as _l
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
# The names of those that an administrator changes on the page.
LABELS = {
    "CONSENT": _l("Consent to take a photo"),
    "PHOTO_RETENTION": _l("Photos are kept"),
    "CAPTURE_RETENTION": _l("Unsaved pictures are kept"),
    "EVENT_RETENTION": _l("Ended captures are kept"),
    "JOB_RETENTION": _l("Reports of jobs are kept"),
    "AUDIT_RETENTION": _l("The audit trail is kept"),
    "PASSAGES": _l("Record of passages"),
    "PASSAGES_INTERVAL": _l("Read each terminal's passages"),
    "PASSAGES_KEEP": _l("Passages are kept"),
    "PASSAGES_PICTURES": _l("Pictures of passages are kept"),
    "PASSAGES_DAY_START": _l("A day of work begins"),
    "PUSH_ADDRESS": _l("Terminals reach this server at"),
    "TERMINAL_PICTURES": _l("Pictures of passages at the terminal"),
    "TERMINAL_NAMES": _l("Names and IDs at the terminal"),
    "CAPTURE_TIMEOUT": _l("Time for a capture"),
    "CAPTURE_HOLD": _l("An unsaved picture holds its terminal"),
    "COMPARE_AT": _l("Nightly comparison"),
    "DRIFT_INTERVAL": _l("Look at idle terminals"),
    "TIMEZONE": _l("Time zone"),
    "WORKING_HOURS": _l("Working hours"),
    "MAIL_TO": _l("Alarms are mailed to"),
    "MAIL_REMOVAL_HOURS": _l("Mail when a removal is overdue"),
    "MAIL_SILENT_HOURS": _l("Mail when a terminal stops answering"),
    "BACKUP_MAX_AGE": _l("A backup counts as old after"),
}
# The sections of the page in their order, by their anchors, and the settings that are changed there.
SECTIONS = {
    "personal-data": (
        _l("Personal data"),
        ("CONSENT", "PHOTO_RETENTION", "CAPTURE_RETENTION", "EVENT_RETENTION", "JOB_RETENTION", "AUDIT_RETENTION"),
    ),
    "terminals": (
        _l("Capture and terminals"),
        ("CAPTURE_TIMEOUT", "CAPTURE_HOLD", "COMPARE_AT", "DRIFT_INTERVAL", "TIMEZONE"),
    ),
    "passages": (
        _l("Passages"),
        (
            *("PASSAGES", "PASSAGES_INTERVAL", "PASSAGES_KEEP", "PASSAGES_PICTURES", "PASSAGES_DAY_START"),
            *("PUSH_ADDRESS", "TERMINAL_PICTURES", "TERMINAL_NAMES"),
        ),
    ),
    "alarms": (
        _l("Alarms"),
        ("BACKUP_MAX_AGE", "MAIL_TO", "MAIL_REMOVAL_HOURS", "MAIL_SILENT_HOURS", "WORKING_HOURS"),
    ),
}
# What is set on the machine alone, by how its names begin. What none of them fits is in the last group.
MACHINE_GROUPS = (
    (_l("Sign-in"), ("SESSION", "SECOND_FACTOR")),
    (_l("Company's directory"), ("LDAP_",)),
    (_l("Mail"), ("MAIL_",)),
    (_l("Import and API"), ("IMPORT_", "API_", "WEBHOOK_")),
    (
        _l("Work at terminals"),
        (*("TERMINAL_", "CAPTURE_", "CONNECT_", "READ_", "LEASE_", "UPLOAD_", "RETRY_", "SWEEP_", "FACE_"), "WORKER_T"),
    ),
    (_l("Server"), ("",)),
)
ABOUT = {
    "SECRET_KEY": _l("Signs cookies and forms."),
    "PASSWORD_KEY": _l("Encrypts what must be read again, such as the terminals' passwords."),
    "DATABASE_URL": _l("Where the database is; the queue goes with it."),
    "WORKER": _l("Where the work in the background runs."),
    "WORKER_THREADS": _l("How many threads a worker begins with; half of them are for captures."),
    "WORKER_TERMINALS": _l("At how many terminals one worker works at the same time."),
    "TERMINAL_THREADS": _l("How many requests of a process may wait on terminals at a time."),
    "TERMINAL_CALLS": _l("How many of them one operator or API token may have."),
    "CAPTURE_TIMEOUT": _l("How long a capture waits for a face."),
    "CAPTURE_HOLD": _l("How long a picture that nobody saved keeps its terminal from other employees."),
    "CAPTURE_PAUSE": _l("The least time between two captures at one terminal."),
    "CONNECT_TIMEOUT": _l("How long the program tries to reach a terminal."),
    "READ_TIMEOUT": _l("How long a terminal may take for its answer."),
    "LEASE_WAIT": _l("How long a page or a program waits until a terminal is free."),
    "UPLOAD_WAIT": _l("How long an uploaded photo waits for those before it."),
    "FACE_DETECTION": _l("Whether a face is looked for in photos before they are sent."),
    "RETRY_BASE": _l("The pause before the first retry; doubled each time."),
    "RETRY_MAX": _l("The longest pause between retries."),
    "SWEEP_INTERVAL": _l("How often the queue is checked."),
    "IMPORT_FILE_LIMIT": _l("The largest table of employees that is imported."),
    "IMPORT_PHOTOS_LIMIT": _l("The largest ZIP of photos that is imported."),
    "TERMINAL_NETWORKS": _l("The networks that terminals may be in."),
    "TERMINAL_REQUIRE": _l("Required of every terminal."),
    "COMPARE_AT": _l("When each terminal is compared with what is desired there, once a night."),
    "DRIFT_INTERVAL": _l("How often an idle terminal is asked how many people it has."),
    "TIMEZONE": _l("The zone in which times are shown and nights begin."),
    "SESSION_IDLE": _l("A session ends when nobody did anything for so long."),
    "SESSION_LIFETIME": _l("A session ends after so long in any case."),
    "SESSIONS_PER_OPERATOR": _l("How many sessions one operator may have; with one more the oldest ends."),
    "SECOND_FACTOR_ROLES": _l("Which roles sign in with a second factor in any case."),
    "LDAP_URL": _l("The company's directory, by which operators may sign in."),
    "LDAP_CA": _l("The file with the certificate that the directory is known by."),
    "LDAP_BIND_DN": _l("The program's own account in the directory, with which it finds people."),
    "LDAP_BIND_PASSWORD": _l("The password of that account."),
    "LDAP_USER_DN": _l("The address that people sign in with there, where the program has no account of its own."),
    "LDAP_BASE": _l("Where people are in the directory."),
    "LDAP_FILTER": _l("Which entries of the directory are people."),
    "LDAP_NAME": _l("The attribute that has the name to sign in with."),
    "LDAP_GROUPS": _l("Which groups of the directory have which role."),
    "LDAP_TIMEOUT": _l("How long the directory may take for an answer."),
    "LDAP_CHECK_INTERVAL": _l("How often the groups of those who are signed in are looked at again."),
    "API_LIMIT": _l("How often a program may call with one API token."),
    "TRUSTED_PROXY": _l("Trusted proxy."),
    "HOSTS": _l("The host names that the pages are called by."),
    "LOG_FORMAT": _l("Whether the log has lines or JSON."),
    "LOG_LEVEL": _l("Minimum log level."),
    "MAIL_SERVER": _l("The server that sends the mails about alarms; without one there are none."),
    "MAIL_PORT": _l("The port of the mail server."),
    "MAIL_TLS": _l("How the connection to the mail server is encrypted."),
    "MAIL_USER": _l("The account at the mail server."),
    "MAIL_PASSWORD": _l("The password of this account."),
    "MAIL_FROM": _l("The address that the mails come from."),
    "MAIL_TO": _l("Who gets a mail about what cannot wait, and another one when it is over."),
    "MAIL_REMOVAL_HOURS": _l("After how many hours without a confirmed removal a mail is sent."),
    "MAIL_SILENT_HOURS": _l("After how many hours without an answer of a terminal a mail is sent."),
    "WORKING_HOURS": _l("When a mail may say that a terminal is silent; at other times it may just be switched off."),
    "BACKUP_MAX_AGE": _l("After how many hours without a backup the start page says so; 0 for never."),
    "BACKUP_KEEP": _l("How many backups stay in a folder, the newest ones."),
    "WEBHOOK_NETWORKS": _l("The networks that webhooks may be in."),
    "METRICS_PORT": _l(
        "The port on which the metrics are read without a token; the worker has the next one; 0 for none."
    ),
    "METRICS_ADDRESS": _l(
        "Which of this machine's own addresses has these ports: 127.0.0.1 or ::1. In a container: 0.0.0.0."
    ),
    "PASSAGES": _l("Whether it is kept who passed at the terminals, who was refused, and when."),
    "PASSAGES_INTERVAL": _l("How often each terminal is asked what happened at its door."),
    "PASSAGES_KEEP": _l("When passages are deleted."),
    "PASSAGES_PICTURES": _l(
        "When the pictures that terminals take of passages are deleted here; 0 keeps none. Viewers do not see them."
    ),
    "PASSAGES_DAY_START": _l("A shift that ends before it counts to the day before."),
    "PUSH_ADDRESS": _l("Where a terminal tells by itself that something happened, if it may."),
    "TERMINAL_PICTURES": _l("Whether terminals keep the pictures that they take of who passes."),
    "TERMINAL_NAMES": _l("Whether terminals show who passes by name and ID."),
    "CONSENT": _l("What happens when a photo is taken without recorded consent."),
    "PHOTO_RETENTION": _l("When the photo of an employee is deleted here."),
    "CAPTURE_RETENTION": _l("When a picture that nobody saved is deleted, with what was typed beside it."),
    "EVENT_RETENTION": _l("When the rows of ended captures are deleted."),
    "JOB_RETENTION": _l("When the report of a job for many people is deleted, and with it an import."),
    "AUDIT_RETENTION": _l("When entries of the audit trail are deleted. The database keeps each for 30 days at least."),
}
# The words among which one is chosen, and where a number may be typed instead, what it is.
CHOICES = {
    "CONSENT": ("warn", "require"),
    "PASSAGES": ("off", "poll", "push"),
    "TERMINAL_PICTURES": ("", "keep", "discard"),
    "TERMINAL_NAMES": ("", "show", "hide"),
    "PHOTO_RETENTION": ("employed", "never"),
}
NUMBERS = {"PHOTO_RETENTION": _l("after so many days")}
# What an empty value says.
EMPTY = {
    "COMPARE_AT": _l("never"),
    "MAIL_TO": _l("to nobody"),
    "WORKING_HOURS": _l("all of the week"),
    "TIMEZONE": _l("the machine's own"),
    "PASSAGES_DAY_START": _l("at midnight"),
    "TERMINAL_PICTURES": _l("as the terminal is set"),
    "TERMINAL_NAMES": _l("as the terminal is set"),
}
# What is older than these is deleted, and cannot be brought back.
RETENTIONS = {name for name in LABELS if name.endswith(("_RETENTION", "_KEEP", "_PICTURES"))}
# What config.SETTINGS allows for the settings that are changed on the page → how a person says it.
ALLOWED = {
    "a number of seconds between 0 and 300": _l("more than 0 and at most 300 seconds"),
    "a number of seconds between 0 and 86400": _l("more than 0 and at most 86400 seconds"),
    "a whole number of days": _l("whole days, 1 or more"),
    "a whole number of days, 30 or more": _l("whole days, 30 or more"),
    "a time such as 03:00, or empty for never": _l("a time such as 03:00, or empty for never"),
    "a zone name such as Europe/Moscow, or empty for the machine's own": _l(
        "a zone name such as Europe/Moscow, or empty for the machine's own"
    ),
    "days and hours such as Mon-Fri 08:00-18:00, or empty for all of the week": _l(
        "days and hours such as Mon-Fri 08:00-18:00, or empty for all of the week"
    ),
    "a whole number of hours, or 0 for none": _l("whole hours, or 0 for never"),
    "a whole number of hours": _l("whole hours, 1 or more"),
    "one or more addresses such as admin@example.com, or empty for no mails": _l(
        "one or more addresses such as admin@example.com, or empty for no mails"
    ),
    "warn or require": _l("one of the list"),
    "off, poll or push": _l("one of the list"),
    "a whole number of days, or 0 for none": _l("whole days, or 0 for none"),
    "a time such as 04:00, or empty for midnight": _l("a time such as 04:00, or empty for midnight"),
    "an address such as http://192.168.1.5:80 (no name, as terminals resolve none), or empty": _l(
        "an IP address with its port, such as http://192.168.1.5:80; no name, as terminals resolve none"
    ),
    "keep, discard or empty": _l("one of the list"),
    "show, hide or empty": _l("one of the list"),
    "employed, never, or a whole number of days": _l("one of the list, or whole days, 1 or more"),
}
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
    return str(ALLOWED[SETTINGS[name].allowed])


def unit_label(name: str) -> str:
    """Return what a number that is typed counts: seconds, days, or nothing."""
    return str(UNITS.get(SETTINGS[name].unit, ""))


def label(name: str) -> str:
    """Return the name of a setting for people; one without words by its name in the environment."""
    return str(LABELS.get(name, f"HIKFLASK_{name}"))


def description(name: str) -> str:
    """Return what a setting does."""
    return str(ABOUT.get(name, ""))


def machine_groups() -> list[tuple[str, list[str]]]:
    """Return what is set on the machine alone, in groups with their titles."""
    left = [name for name, setting in SETTINGS.items() if not setting.decided]
    groups = []
    for title, beginnings in MACHINE_GROUPS:
        names = [name for name in left if name.startswith(beginnings)]
        left = [name for name in left if name not in names]
        groups.append((str(title), names))
    return groups


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
    return text or str(EMPTY.get(name, NOTHING))


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
