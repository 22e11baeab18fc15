"""Settings: defaults → instance/config.py → HIKFLASK_* environment → test mapping, then checked.

Every setting has one row in SETTINGS; docs/en/settings.md lists the same names.
"""

import os
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from cryptography.fernet import Fernet
from flask import Config

ROOT = Path(__file__).resolve().parent.parent
UNSAFE_KEYS = {"dev", "secret", "changeme", "change-me", "secret-key", "secretkey", "hikflask", "password", "test"}
SHORTEST_KEY = 16
MEGABYTE = 1024 * 1024


class ConfigError(RuntimeError):
    """A setting that the app refuses to start with; the text says what to set."""


def _seconds(text: Any) -> float:
    value = float(text)
    if not 0 < value <= 86400:
        raise ValueError("a number of seconds between 0 and 86400")
    return value


def _threads(text: Any) -> int:
    value = int(text)
    if not 2 <= value <= 64:
        raise ValueError("a whole number between 2 and 64")
    return value


def _worker(text: Any) -> str:
    if text not in {"embedded", "external"}:
        raise ValueError("embedded or external")
    return str(text)


def _zone(text: Any) -> str:
    try:
        return str(text) and ZoneInfo(str(text)).key
    except (KeyError, OSError) as error:
        raise ValueError("a zone name such as Europe/Moscow, or empty for the machine's own") from error


def _database(text: Any) -> str:
    value = str(text)
    if value and not value.startswith(("sqlite://", "postgresql://")):
        raise ValueError("sqlite:///… or postgresql://…")
    return value


@dataclass(frozen=True)
class Setting:
    """One setting: its default and the function that reads it from text (ValueError names what is allowed)."""

    default: Any
    read: Callable[[Any], Any]


SETTINGS = {
    "SECRET_KEY": Setting("", str),
    "PASSWORD_KEY": Setting("", str),
    "DATABASE_URL": Setting("", _database),
    "WORKER": Setting("embedded", _worker),
    "WORKER_THREADS": Setting(8, _threads),
    "CAPTURE_TIMEOUT": Setting(30.0, _seconds),
    "CAPTURE_HOLD": Setting(120.0, _seconds),
    "CONNECT_TIMEOUT": Setting(3.0, _seconds),
    "READ_TIMEOUT": Setting(8.0, _seconds),
    "LEASE_WAIT": Setting(5.0, _seconds),
    "RETRY_BASE": Setting(15.0, _seconds),
    "RETRY_MAX": Setting(900.0, _seconds),
    "SWEEP_INTERVAL": Setting(5.0, _seconds),
    "TIMEZONE": Setting("", _zone),
}

FLASK_SETTINGS = {
    "MAX_CONTENT_LENGTH": 11 * MEGABYTE,
    "MAX_FORM_MEMORY_SIZE": MEGABYTE,
    "SESSION_COOKIE_HTTPONLY": True,
    "SESSION_COOKIE_SAMESITE": "Lax",
    # A page left open over lunch must still save: the token lives as long as the session.
    "WTF_CSRF_TIME_LIMIT": None,
    # Every form carries the token itself; the check runs in the web blueprints only (see extensions.csrf).
    "WTF_CSRF_CHECK_DEFAULT": True,
    "BOOTSTRAP_SERVE_LOCAL": True,
    "BABEL_DEFAULT_LOCALE": "ru",
}


def instance_path(test_config: Mapping[str, Any] | None = None) -> str:
    """Return the instance folder as an absolute path: test mapping, environment, or instance/ beside the package."""
    given = (test_config or {}).get("INSTANCE_PATH") or os.environ.get("HIKFLASK_INSTANCE_PATH")
    return str(Path(given).absolute()) if given else str(ROOT / "instance")


def load(config: Config, folder: str, test_config: Mapping[str, Any] | None = None) -> None:
    """Fill the app's config from all four sources and check it.

    :raises ConfigError: with one sentence that names the setting and what to set.
    """
    config.update(FLASK_SETTINGS)
    config.update({name: setting.default for name, setting in SETTINGS.items()})
    config.from_pyfile(os.path.join(folder, "config.py"), silent=True)
    config.update({name: os.environ[f"HIKFLASK_{name}"] for name in SETTINGS if f"HIKFLASK_{name}" in os.environ})
    config.update(test_config or {})
    config["INSTANCE_PATH"] = folder
    validate(config)


def validate(config: Config) -> None:
    """Check each setting, make the instance folder and the keys that are not set.

    :raises ConfigError: with one sentence that names the setting and what to set.
    """
    for name, setting in SETTINGS.items():
        try:
            config[name] = setting.read(config[name])
        except (TypeError, ValueError) as error:
            raise ConfigError(f"HIKFLASK_{name} is {config[name]!r}: set it to {error}.") from error
    folder = _writable_folder(Path(config["INSTANCE_PATH"]))
    config["SECRET_KEY"] = _secret_key(config["SECRET_KEY"], folder / "secret_key")
    config["PASSWORD_KEY"] = _password_key(config["PASSWORD_KEY"], folder / "password_key")
    config["DATABASE_URL"] = config["DATABASE_URL"] or f"sqlite:///{folder / 'hikflask.sqlite3'}"
    config["SQLALCHEMY_DATABASE_URI"] = config["DATABASE_URL"].replace("postgresql://", "postgresql+psycopg://", 1)
    config["UPLOADS"] = str(folder / "uploads")


def _writable_folder(folder: Path) -> Path:
    advice = f"The instance folder {folder} is not writable: set HIKFLASK_INSTANCE_PATH to a folder this account owns."
    try:
        (folder / "uploads").mkdir(parents=True, exist_ok=True, mode=0o750)
    except OSError as error:
        raise ConfigError(advice) from error
    if not os.access(folder, os.W_OK | os.X_OK) or not os.access(folder / "uploads", os.W_OK | os.X_OK):
        raise ConfigError(advice)
    return folder


def _secret_key(given: str, file: Path) -> str:
    key = given or _kept_key(file, secrets.token_urlsafe(48))
    if len(key) < SHORTEST_KEY or key.lower() in UNSAFE_KEYS or len(set(key)) < 6:
        raise ConfigError(
            "HIKFLASK_SECRET_KEY is too short or well known: set it to the output of "
            "`python -c 'import secrets; print(secrets.token_urlsafe(48))'`, or leave it unset to have one made."
        )
    return key


def _password_key(given: str, file: Path) -> str:
    key = given or _kept_key(file, Fernet.generate_key().decode())
    try:
        Fernet(key.encode())
    except ValueError as error:
        raise ConfigError(
            "HIKFLASK_PASSWORD_KEY is no Fernet key: set it to the key that the terminals' passwords were "
            "encrypted with, or leave it unset to have one made."
        ) from error
    return key


def _kept_key(file: Path, fresh: str) -> str:
    """Read the key from its file; the first process to come makes it, readable by its owner alone."""
    try:
        _write_whole(file, fresh)
    except FileExistsError:
        if file.stat().st_mode & 0o077:
            raise ConfigError(f"Others can read {file}: run `chmod 600 {file}`.") from None
    return file.read_text(encoding="ascii").strip()


def _write_whole(file: Path, text: str) -> None:
    """Create the file with its text in one step, so that no other process ever reads half a key."""
    draft = file.with_name(f"{file.name}.{secrets.token_hex(4)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "w", encoding="ascii") as stream:
            stream.write(text + "\n")
        os.link(draft, file)
    finally:
        draft.unlink()
