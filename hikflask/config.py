"""Settings: defaults → instance/config.py → HIKFLASK_* environment → test mapping, then checked.

Every setting has one row in SETTINGS, and its words in labels/settings.py; docs/en/settings.md lists them. What an
administrator changed on a page comes between the second and the third place; services/settings reads it from the
database, with the readers below.
"""

import os
import re
import secrets
import sys
import traceback
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import time
from ipaddress import IPv4Address, IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from cryptography.fernet import Fernet, MultiFernet
from flask import Config
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from hikflask import disk_space
from hikflask.encryption import key_file
from hikflask.text_rules import N_

PACKAGE = Path(__file__).resolve().parent
# In a checkout, migrations/, deploy/ and instance/ stand beside the package; a wheel has the first two within it.
IS_CHECKOUT = not (PACKAGE / "migrations").is_dir()
SHIPPED = PACKAGE.parent if IS_CHECKOUT else PACKAGE
DEFAULT_INSTANCE = PACKAGE.parent / "instance" if IS_CHECKOUT else Path(sys.prefix) / "var" / "hikflask"
# How the commands are called.
COMMAND = "flask --app wsgi" if IS_CHECKOUT else "hikflask"
MIN_KEY_LENGTH = 16
MIN_DIFFERENT_LETTERS = 6
# Phrases of keys that tutorials and templates print, also within longer keys; a random key never has one.
KNOWN_PHRASES = re.compile(
    r"secret[-_ ]?key|change[-_ ]?(me|this|it)|never[-_ ]?guess|top[-_ ]?secret|password|default"
    r"|192b9bdd22ab9ed4d12e236c78afcb9a393ec15f71bbf5dc987d54727823bcbf",
    re.IGNORECASE,
)
MEGABYTE = 1024 * 1024
MAX_DAYS = 36500
MIN_AUDIT_DAYS = 30
# In seconds. No lease is longer than this and a little (services/terminals/leases.py), whatever is set anywhere.
MAX_CAPTURE_SECONDS = 300.0
# Where a setting's value comes from. The last one stands for the test mapping, too.
DEFAULT, FILE, ENVIRONMENT = "default", "file", "environment"
DAYS = N_("whole days, 1 or more")
SECONDS = N_("more than 0 and at most 86400 seconds")
CAPTURE_SECONDS = N_("more than 0 and at most 300 seconds")
MAX_HOURS = 24 * 365
HOURS = N_("whole hours, 1 or more")
UNIX_SOCKET = "unix"
SQLITE = "hikflask.sqlite3"
ONLY_ASCII = N_("Latin letters, digits and signs alone")
LOG_LEVELS = ("debug", "info", "warning", "error", "critical")
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
DAY_OF_WEEK, TIME_OF_DAY = "|".join(WEEKDAYS), r"(?:[01]\d|2[0-3]):[0-5]\d"
WORKING_HOURS = re.compile(
    rf"(?P<first>{DAY_OF_WEEK})(?:-(?P<last>{DAY_OF_WEEK}))? +(?P<begin>{TIME_OF_DAY})-(?P<end>{TIME_OF_DAY})"
)
SECOND, HOUR, DAY, PER_MINUTE, MEGABYTES = "second", "hour", "day", "per minute", "megabyte"
HOST = re.compile(r"\.?[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?\Z|\[[0-9a-f:]+\]\Z")

# For how long PostgreSQL is waited for, and when a connection counts as dead: libpq's own words. In seconds, but
# tcp_user_timeout is in milliseconds.
PATIENCE = {
    "connect_timeout": 5,
    "tcp_user_timeout": 15000,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
}
ADDRESS = re.compile(r"[^@\s<>,;:\"()]+@[A-Za-z0-9.-]+\Z", re.ASCII)


class ConfigError(RuntimeError):
    """A setting with which the app refuses to start; the text says what to set."""


def _zone(text: Any) -> str:
    try:
        return str(text) and ZoneInfo(str(text)).key
    except (KeyError, OSError) as error:
        raise ValueError from error


def _time_of_day(text: Any) -> time | None:
    return None if text in ("", None) else time.fromisoformat(str(text)).replace(tzinfo=None)


def _working_hours(text: Any) -> str:
    """Return days and hours in one spelling, such as Mon-Fri 08:00-18:00; empty for all of the week."""
    if not str(text).strip():
        return ""
    hours = WORKING_HOURS.fullmatch(str(text).strip().title())
    if hours is None or time.fromisoformat(hours["begin"]) >= time.fromisoformat(hours["end"]):
        raise ValueError
    first, last = hours["first"], hours["last"] or hours["first"]
    if WEEKDAYS.index(first) > WEEKDAYS.index(last):
        raise ValueError
    return f"{first if first == last else f'{first}-{last}'} {hours['begin']}-{hours['end']}"


def _whole(least: int, most: int) -> Callable[[Any], int]:
    def read(text: Any) -> int:
        value = int(text)
        if not least <= value <= most:
            raise ValueError
        return value

    return read


def _proxy(text: Any) -> str:
    return str(text) if text in {"", UNIX_SOCKET} else str(ip_address(str(text)))


def _words(text: Any) -> list[str]:
    return str(text).replace(",", " ").split()


def _some_of(*words: str) -> Callable[[Any], tuple[str, ...]]:
    def read(text: Any) -> tuple[str, ...]:
        if not set(_words(text)) <= set(words):
            raise ValueError
        return tuple(word for word in words if word in _words(text))

    return read


def _list_of(pattern: re.Pattern[str]) -> Callable[[Any], list[str]]:
    def read(text: Any) -> list[str]:
        words = text if isinstance(text, list) else _words(text)
        if not all(map(pattern.match, words)):
            raise ValueError
        return words

    return read


def _host_name(text: Any) -> str:
    value = str(text)
    value.encode("idna")  # As the name is resolved: the error is a ValueError.
    return value


def _matching(pattern: str) -> Callable[[Any], str]:
    def read(text: Any) -> str:
        if not re.fullmatch(pattern, str(text)):
            raise ValueError
        return str(text)

    return read


def _one_of(*words: str) -> Callable[[Any], str]:
    return _matching("|".join(map(re.escape, words)))


def _database(text: Any) -> str:
    value = str(text)
    try:
        if value and make_url(value).drivername not in {"sqlite", "postgresql"}:
            raise ValueError
    except ArgumentError as error:
        raise ValueError from error
    return value


_ascii = _matching(r"[\x00-\x7f]*")
_hosts, _addresses = _list_of(HOST), _list_of(ADDRESS)
_ldap_url = _matching(r"|ldaps?://[\w.\-\[\]:]+/?")
_ldap_attribute = _matching(r"[A-Za-z][A-Za-z0-9;-]*")
_ldap_filter = _matching(r"\(.+\)")
_with_name = _matching(r"|[^{}]*\{name\}[^{}]*")


def _push_address(text: Any) -> str:
    """Return an address for terminals, with its port. They resolve no names, and their slots take IPv4."""
    if not text:
        return ""
    parts = urlsplit(str(text).strip())
    host = IPv4Address(parts.hostname or "")
    if parts.scheme != "http" or parts.path.strip("/") or parts.query or parts.username or host.is_unspecified:
        raise ValueError
    return f"http://{host}:{parts.port or 80}"


def _file(text: Any) -> str:
    if text and not os.path.isfile(str(text)):  # A path that this account may not see is none.
        raise ValueError
    return str(text)


def _ldap_groups(text: Any) -> tuple[tuple[str, str], ...]:
    """Read role:address;role:address. An address has commas and equals signs of its own."""
    if isinstance(text, tuple):
        return text
    parts = (part.partition(":") for part in str(text).split(";") if part.strip())
    groups = tuple((role.strip(), group.strip()) for role, _, group in parts)
    if not all(role in {"viewer", "operator", "admin"} and group for role, group in groups):
        raise ValueError
    return groups


def _photo_retention(text: Any) -> str:
    if text in {"employed", "never"}:
        return str(text)
    return str(_whole(1, MAX_DAYS)(text))


def _networks(text: Any) -> tuple[IPv4Network | IPv6Network, ...]:
    return tuple(ip_network(word) for word in _words(text))


@dataclass(frozen=True)
class Setting:
    """One setting: its default, the function that reads it, what is allowed (for refusals and the guides), its unit.

    `decided`: an administrator may change it on the page of settings. Code must read it each time that it is
    needed, since it may change while the program runs. `secret`: its value is never shown.
    """

    default: Any
    read: Callable[[Any], Any]
    allowed: str = ""
    unit: str = ""
    decided: bool = False
    secret: bool = False


def _time(default: float, *, most: float = 86400, allowed: str = SECONDS, decided: bool = False) -> Setting:
    def read(text: Any) -> float:
        value = float(text)
        if not 0 < value <= most:
            raise ValueError
        return value

    return Setting(default, read, allowed, SECOND, decided)


def _days(default: int, least: int, allowed: str) -> Setting:
    return Setting(default, _whole(least, MAX_DAYS), allowed, DAY, decided=True)


def as_text(value: Any) -> str:
    """Return the text of which a setting's reader makes this value."""
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.10g}"
    if isinstance(value, time):
        return value.isoformat().removesuffix(":00")
    if isinstance(value, tuple) and value and isinstance(value[0], tuple):
        return "; ".join(map(":".join, value))
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


SETTINGS = {
    "SECRET_KEY": Setting("", str, secret=True),
    "PASSWORD_KEY": Setting("", str, secret=True),
    "DATABASE_URL": Setting("", _database, "sqlite:///… or postgresql://…, or empty for SQLite in the instance folder"),
    "WORKER": Setting("embedded", _one_of("embedded", "external"), "embedded or external"),
    "WORKER_THREADS": Setting(8, _whole(2, 64), "a whole value from 2 to 64"),
    "WORKER_TERMINALS": Setting(64, _whole(1, 256), "a whole value from 1 to 256"),
    # gunicorn.conf.py reads it, too, with the same default.
    "TERMINAL_THREADS": Setting(12, _whole(1, 64), "a whole value from 1 to 64"),
    "TERMINAL_CALLS": Setting(6, _whole(1, 64), "a whole value from 1 to 64"),
    "CAPTURE_TIMEOUT": _time(30.0, most=MAX_CAPTURE_SECONDS, allowed=CAPTURE_SECONDS, decided=True),
    "CAPTURE_HOLD": _time(120.0, decided=True),
    "CAPTURE_PAUSE": _time(1.0),
    "CONNECT_TIMEOUT": _time(3.0),
    "READ_TIMEOUT": _time(8.0),
    "LEASE_WAIT": _time(5.0),
    "UPLOAD_WAIT": _time(10.0),
    "FACE_DETECTION": Setting("auto", _one_of("auto", "off"), "auto or off"),
    "RETRY_BASE": _time(15.0),
    "RETRY_MAX": _time(900.0),
    "SWEEP_INTERVAL": _time(5.0),
    # deploy/nginx.conf has its sum with the one of photos.
    "IMPORT_FILE_LIMIT": Setting(20, _whole(1, 500), "whole megabytes from 1 to 500", MEGABYTES),
    "TERMINAL_NETWORKS": Setting("", _networks, "networks such as 192.168.1.0/24, fd12:3456::/48, or empty for any"),
    "TERMINAL_REQUIRE": Setting(
        "",
        _some_of("https", "sha256", "networks"),
        "one or more of https, sha256, networks with commas between, or empty for none",
    ),
    "COMPARE_AT": Setting("03:00", _time_of_day, "a time such as 03:00, or empty for never", decided=True),
    "DRIFT_INTERVAL": _time(300.0, decided=True),
    "DOOR": Setting("off", _one_of("off", "admin", "operator"), "off, admin or operator", decided=True),
    "TIMEZONE": Setting("", _zone, "a zone name such as Europe/Moscow, or empty for the machine's own", decided=True),
    "SESSION_IDLE": _time(7200.0),
    "SESSION_LIFETIME": _time(43200.0),
    "SESSIONS_PER_OPERATOR": Setting(20, _whole(1, 1000), "a whole value from 1 to 1000"),
    "SECOND_FACTOR_ROLES": Setting(
        "",
        _some_of("viewer", "operator", "admin"),
        "one or more of viewer, operator, admin with commas between, or empty for none",
    ),
    "LDAP_URL": Setting("", _ldap_url, "ldaps://host, ldap://host (with StartTLS), or empty for no directory"),
    "LDAP_CA": Setting("", _file, "a file with a certificate, or empty for those that the machine trusts"),
    "LDAP_BIND_DN": Setting("", str),
    "LDAP_BIND_PASSWORD": Setting("", str, secret=True),
    "LDAP_USER_DN": Setting("", _with_name, "an address with {name} in it, such as uid={name},ou=people,dc=corp"),
    "LDAP_BASE": Setting("", str),
    "LDAP_FILTER": Setting("(objectClass=person)", _ldap_filter, "an LDAP filter in brackets"),
    "LDAP_NAME": Setting("uid", _ldap_attribute, "the name of an attribute, such as uid or sAMAccountName"),
    "LDAP_GROUPS": Setting("", _ldap_groups, "role:address of a group, several with semicolons between"),
    "LDAP_TIMEOUT": _time(5.0),
    "LDAP_CHECK_INTERVAL": _time(300.0),
    "API_LIMIT": Setting(6000, _whole(1, 10**6), "requests per minute, 1 or more", PER_MINUTE),
    "TRUSTED_PROXY": Setting(UNIX_SOCKET, _proxy, "unix, the IP address of the proxy in front, or empty for none"),
    "WEBHOOK_NETWORKS": Setting("", _networks, "networks such as 192.168.1.0/24, or empty"),
    "HOSTS": Setting("", _hosts, "host names, or empty for any"),
    "CONSENT": Setting("warn", _one_of("warn", "require"), "warn or require", decided=True),
    "PHOTO_RETENTION": Setting("employed", _photo_retention, "employed, never, or whole days", DAY, decided=True),
    "CAPTURE_RETENTION": _time(3600.0, decided=True),
    "EVENT_RETENTION": _days(90, 1, DAYS),
    "PASSAGES": Setting("off", _one_of("off", "poll", "push"), "off, poll or push", decided=True),
    "PASSAGES_INTERVAL": _time(30.0, decided=True),
    "PASSAGES_KEEP": _days(90, 1, DAYS),
    "PASSAGES_PICTURES": _days(0, 0, "whole days, or 0 for none"),
    # When a day of work begins: a shift that ends before it belongs to the day before.
    "PASSAGES_DAY_START": Setting("", _time_of_day, "a time such as 04:00, or empty for midnight", decided=True),
    "IMPORT_PHOTOS_LIMIT": Setting(500, _whole(1, 4000), "whole megabytes from 1 to 4000", MEGABYTES),
    "PUSH_ADDRESS": Setting(
        "",
        _push_address,
        "an IPv4 address with its port, such as http://192.168.1.5:80; no name, as terminals resolve none",
        decided=True,
    ),
    # Empty: as the terminal is set.
    "TERMINAL_PICTURES": Setting("", _one_of("", "keep", "discard"), "keep, discard or empty", decided=True),
    "TERMINAL_NAMES": Setting("", _one_of("", "show", "hide"), "show, hide or empty", decided=True),
    "JOB_RETENTION": _days(30, 1, DAYS),
    # gunicorn.conf.py reads both, too.
    "LOG_FORMAT": Setting("lines", _one_of("lines", "json"), "lines or json"),
    "LOG_LEVEL": Setting("warning", _one_of(*LOG_LEVELS), "debug, info, warning, error or critical"),
    # A worker on its own takes the next one.
    "METRICS_PORT": Setting(0, _whole(0, 65534), "a port below 65535, or 0 for none"),
    # All of them is for a container, whose network is its own.
    "METRICS_ADDRESS": Setting(
        "127.0.0.1",
        _one_of("127.0.0.1", "::1", "0.0.0.0"),  # noqa: S104
        "127.0.0.1, ::1 or 0.0.0.0",
    ),
    "MAIL_SERVER": Setting("", _host_name, "the name of a mail server, or empty for no mails"),
    "MAIL_PORT": Setting(587, _whole(1, 65535), "a port from 1 to 65535"),
    "MAIL_TLS": Setting("starttls", _one_of("starttls", "tls", "none"), "starttls, tls or none"),
    # Python's smtplib sends no others.
    "MAIL_USER": Setting("", _ascii, ONLY_ASCII),
    "MAIL_PASSWORD": Setting("", _ascii, ONLY_ASCII, secret=True),
    "MAIL_FROM": Setting("", _addresses, "an address such as hikflask@example.com"),
    "MAIL_TO": Setting(
        "", _addresses, "one or more addresses such as admin@example.com, or empty for no mails", decided=True
    ),
    "MAIL_REMOVAL_HOURS": Setting(4, _whole(1, MAX_HOURS), HOURS, HOUR, decided=True),
    "MAIL_SILENT_HOURS": Setting(1, _whole(1, MAX_HOURS), HOURS, HOUR, decided=True),
    "WORKING_HOURS": Setting(
        "", _working_hours, "days and hours such as Mon-Fri 08:00-18:00, or empty for all of the week", decided=True
    ),
    # With 0 nobody watches the age of the last backup.
    "BACKUP_KEEP": Setting(14, _whole(1, 10_000), "a whole value from 1 to 10000"),
    "BACKUP_MAX_AGE": Setting(48, _whole(0, MAX_HOURS), "whole hours, or 0 for never", HOUR, decided=True),
    # The database refuses to delete younger entries (models/audit.py).
    "AUDIT_RETENTION": _days(1095, MIN_AUDIT_DAYS, "whole days, 30 or more"),
}

FLASK_SETTINGS = {
    "MAX_CONTENT_LENGTH": 11 * MEGABYTE,
    "MAX_FORM_MEMORY_SIZE": MEGABYTE // 4,
    "SESSION_COOKIE_NAME": "hikflask",
    "SESSION_COOKIE_HTTPONLY": True,
    "SESSION_COOKIE_SAMESITE": "Lax",
    # A form that was open for hours must still save: the token is valid as long as the session.
    "WTF_CSRF_TIME_LIMIT": None,
    # Every form has the token; the API's blueprints are exempt (api/__init__.py).
    "WTF_CSRF_CHECK_DEFAULT": True,
    "BABEL_DEFAULT_LOCALE": "ru",
    # The text of a database error goes into the log, but not the values: typed texts, hashes of passwords.
    "SQLALCHEMY_ENGINE_OPTIONS": {"hide_parameters": True},
}


def instance_path(test_config: Mapping[str, Any] | None = None) -> str:
    """Return the instance folder as an absolute path: test mapping, environment, or the default."""
    path = (test_config or {}).get("INSTANCE_PATH") or os.environ.get("HIKFLASK_INSTANCE_PATH")
    return str(Path(path).absolute()) if path else str(DEFAULT_INSTANCE)


def load(config: Config, folder: str, test_config: Mapping[str, Any] | None = None) -> None:
    """Fill the app's config from its four sources and check it.

    :raises ConfigError: with one sentence that names the setting and what to set.
    """
    values = in_file(Path(folder))
    fixed = {name: os.environ[f"HIKFLASK_{name}"] for name in SETTINGS if f"HIKFLASK_{name}" in os.environ}
    fixed |= test_config or {}
    config.update(FLASK_SETTINGS)
    config.update({name: setting.default for name, setting in SETTINGS.items()})
    config.update(values)
    config.update(fixed)
    config["INSTANCE_PATH"] = folder
    config["SETTING_SOURCES"] = {
        name: ENVIRONMENT if name in fixed else FILE if name in values else DEFAULT for name in SETTINGS
    }
    validate(config)


def in_file(folder: Path) -> Config:
    """Return the settings in config.py, if there is one. :raises ConfigError: when it cannot be read or run."""
    config, file = Config(folder), str(folder / "config.py")
    try:
        config.from_pyfile(file, silent=True)
    except Exception as error:  # It is a program, which may raise anything.
        # Neither the line nor the error's own text is in the sentence: it may be a password.
        lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == file]
        if isinstance(error, SyntaxError) and error.filename == file:
            lines.append(error.lineno)
        advice = f"correct line {lines[-1]}" if lines and lines[-1] else "let this account own the file"
        raise ConfigError(f"{file} cannot be used ({type(error).__name__}): {advice}.") from error
    return config


def validate(config: Config) -> None:
    """Check each setting, and make the instance folder and the keys that are not set.

    :raises ConfigError: with one sentence that names the setting and what to set.
    """
    for name, setting in SETTINGS.items():
        try:
            config[name] = setting.read(config[name])
        except (TypeError, ValueError) as error:
            # The value is not in the sentence: the address of a database has its password.
            raise ConfigError(f"HIKFLASK_{name} cannot be used: set it to {setting.allowed}.") from error
    wrong = contradiction(config)
    if wrong:
        raise ConfigError(wrong.text)
    _refuse_half_mail(config)
    folder = Path(config["INSTANCE_PATH"])
    _make_writable(folder, folder)
    config["PASSWORD_KEY_FILE"] = None if config["PASSWORD_KEY"] else str(folder / "password_key")
    # The first of what is made: where another one of these is, this one was, too.
    config["PASSWORD_KEY"] = _password_keys(config["PASSWORD_KEY"], folder, bool(config["SECRET_KEY"]))
    config["SECRET_KEY"] = _secret_key(config["SECRET_KEY"], folder / "secret_key")
    _make_writable(folder, folder / "uploads")
    config["DATABASE_URL"] = _impatient(config["DATABASE_URL"] or f"sqlite:///{folder / SQLITE}")
    config["SQLALCHEMY_ENGINE_OPTIONS"] = {
        **config["SQLALCHEMY_ENGINE_OPTIONS"],
        # A restart of the server leaves connections that are cut; a file has none.
        "pool_pre_ping": config["DATABASE_URL"].startswith("postgresql://"),
    }
    config["SQLALCHEMY_DATABASE_URI"] = config["DATABASE_URL"].replace("postgresql://", "postgresql+psycopg://", 1)
    config["TRUSTED_HOSTS"] = config["HOSTS"] or None
    config["UPLOADS"] = str(folder / "uploads")


def _impatient(url: str) -> str:
    """Return the address of a database, for PostgreSQL with PATIENCE; values in the address itself win."""
    if not url.startswith("postgresql://"):
        return url
    address, _, query = url.partition("?")
    names = {part.partition("=")[0] for part in query.split("&")}
    added = (f"{name}={value}" for name, value in PATIENCE.items() if name not in names)
    return f"{address}?{'&'.join(filter(None, (query, *added)))}"


@dataclass(frozen=True)
class Contradiction:
    """Two settings that do not go together: the one to change first, and a sentence for the log of the start.

    `code` finds the sentence for a person who changes one of them.
    """

    names: tuple[str, str]
    text: str
    code: str = "settings_contradict"


def contradiction(config: Mapping[str, Any]) -> Contradiction | None:
    """Return the first contradiction among settings that were read, or None."""
    if "networks" in config["TERMINAL_REQUIRE"] and not config["TERMINAL_NETWORKS"]:
        return Contradiction(
            ("TERMINAL_REQUIRE", "TERMINAL_NETWORKS"),
            "HIKFLASK_TERMINAL_REQUIRE lists networks, but any network is allowed: "
            "set HIKFLASK_TERMINAL_NETWORKS to the networks that terminals are in.",
        )
    if config["CAPTURE_RETENTION"] < config["CAPTURE_HOLD"]:
        return Contradiction(
            ("CAPTURE_RETENTION", "CAPTURE_HOLD"),
            "HIKFLASK_CAPTURE_RETENTION is shorter than HIKFLASK_CAPTURE_HOLD, so a picture would go while a terminal "
            f"is kept for it: set it to {config['CAPTURE_HOLD']:g} or more.",
        )
    if config["PASSAGES"] == "push" and not config["PUSH_ADDRESS"]:
        return Contradiction(
            ("PASSAGES", "PUSH_ADDRESS"),
            "HIKFLASK_PASSAGES is push, but HIKFLASK_PUSH_ADDRESS is not set: set it to the address at which terminals "
            "reach this server, such as http://192.168.1.5:80.",
            "push_address_missing",
        )
    return _incomplete_ldap(config) if config["LDAP_URL"] else None


def _incomplete_ldap(config: Mapping[str, Any]) -> Contradiction | None:
    for name, what in (("LDAP_BASE", "where people are"), ("LDAP_GROUPS", "which groups have which role")):
        if not config[name]:
            text = f"HIKFLASK_LDAP_URL is set, but HIKFLASK_{name} is not: set {what}."
            return Contradiction((name, "LDAP_URL"), text)
    if not config["LDAP_BIND_DN"] and not config["LDAP_USER_DN"]:
        return Contradiction(
            ("LDAP_BIND_DN", "LDAP_URL"),
            "HIKFLASK_LDAP_URL is set, but neither HIKFLASK_LDAP_BIND_DN nor HIKFLASK_LDAP_USER_DN: "
            "set how the directory is asked about somebody.",
        )
    if config["LDAP_BIND_DN"] and not config["LDAP_BIND_PASSWORD"]:
        return Contradiction(
            ("LDAP_BIND_PASSWORD", "LDAP_BIND_DN"),
            "HIKFLASK_LDAP_BIND_DN is set, but HIKFLASK_LDAP_BIND_PASSWORD is not: set the password of that account.",
        )
    return None


def _refuse_half_mail(config: Config) -> None:
    if not config["MAIL_SERVER"]:
        return
    if len(config["MAIL_FROM"]) != 1:
        raise ConfigError(
            "HIKFLASK_MAIL_SERVER is set, but not who mails are from: set HIKFLASK_MAIL_FROM to one address."
        )
    if config["MAIL_USER"] and config["MAIL_TLS"] == "none":
        raise ConfigError(
            "HIKFLASK_MAIL_TLS is none, so HIKFLASK_MAIL_PASSWORD would be sent for everybody to read: "
            "set HIKFLASK_MAIL_TLS to starttls or tls, or leave HIKFLASK_MAIL_USER unset."
        )


def _make_writable(folder: Path, place: Path) -> None:
    """Make a place where there is none, the instance folder or one within it. :raises ConfigError: not writable."""
    advice = f"The instance folder {folder} is not writable: set HIKFLASK_INSTANCE_PATH to a folder this account owns."
    try:
        place.mkdir(parents=True, exist_ok=True, mode=0o777 if place == folder else 0o750)
    except OSError as error:
        why = disk_space.explain(error, folder, folder.parent) or disk_space.read_only(folder, folder.parent)
        raise ConfigError(why or advice) from error
    if why := disk_space.read_only(place):
        raise ConfigError(why)
    if not os.access(place, os.W_OK | os.X_OK):
        raise ConfigError(advice)


def _secret_key(setting: str, file: Path) -> str:
    key = setting or _key_from_file(file, secrets.token_urlsafe(48))
    if len(key) < MIN_KEY_LENGTH or len(set(key)) < MIN_DIFFERENT_LETTERS or KNOWN_PHRASES.search(key):
        cure = (
            "HIKFLASK_SECRET_KEY is too short or well known: set it to the output of "
            "`python -c 'import secrets; print(secrets.token_urlsafe(48))'`, or leave it unset to have one made."
        )
        of_file = f"The key in {file} is too short or well known: restore the file, or delete it to have one made."
        raise ConfigError(cure if setting else f"{of_file} Then everybody has to sign in again.")
    return key


def _password_keys(setting: str, folder: Path, has_secret_key: bool) -> str:
    """Return the key, or several keys with the newest first, as a text for key_file.split().

    :param has_secret_key: the other key is a setting, so it has no file.
    """
    file, beside = folder / "password_key", folder / "secret_key"
    was_made = beside.is_file() or (has_secret_key and ((folder / "uploads").is_dir() or (folder / SQLITE).is_file()))
    if not setting and was_made and not file.exists():
        anew = (
            "put a new one there, such as `python -c 'from cryptography.fernet import Fernet; "
            "print(Fernet.generate_key().decode())'` prints"
            if has_secret_key
            else f"delete {beside}, too, to have both made anew"
        )
        raise ConfigError(
            f"{file} is missing: restore it, or set HIKFLASK_PASSWORD_KEY to the key that the terminals' passwords "
            f"were encrypted with. Only if it is lost for good, {anew}."
        )
    text = setting or _key_from_file(file, Fernet.generate_key().decode())
    try:
        MultiFernet([Fernet(key.encode()) for key in key_file.split(text)])
    except ValueError as error:
        what = (
            "HIKFLASK_PASSWORD_KEY is no Fernet key: set it to" if setting else f"{file} holds no Fernet key: restore"
        )
        remove = "leave it unset" if setting else "move the file away"
        raise ConfigError(
            f"{what} the key that the terminals' passwords were encrypted with, or {remove} to have one made."
        ) from error
    return text


def _key_from_file(file: Path, fresh: str) -> str:
    """Read the key from its file; the first process makes it, readable by the owner alone."""
    try:
        if not file.exists():  # A full disk keeps nobody from reading.
            with suppress(FileExistsError):
                key_file.create(file, fresh)
        if file.stat().st_mode & 0o077:
            raise ConfigError(f"Others can read {file}: run `chmod 600 {file}`.")
        return file.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        advice = (
            f"The key in {file} cannot be read: let this account own the file, "
            f"or set HIKFLASK_{file.name.upper()} to the key itself."
        )
        raise ConfigError(disk_space.explain(error, file.parent) or advice) from error
