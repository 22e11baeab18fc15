"""Settings: the order of their sources, refusals that name the setting, and keys that are made once."""

import json
import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from flask import Config

from hikflask import config
from hikflask.config import SETTINGS, ConfigError
from hikflask.encryption import key_file

GOOD_KEY = "q7Wn2xR9tB4mZ8kL5vJ1"


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [*SETTINGS, "INSTANCE_PATH"]:
        monkeypatch.delenv(f"HIKFLASK_{name}", raising=False)


def loaded(folder: Path, **given: Any) -> Config:
    """Settings as the app gets them, with what a test gives."""
    settings = Config(str(folder))
    config.load(settings, str(folder), given)
    return settings


def refusal(folder: Path, **given: Any) -> str:
    """The one sentence of a refusal."""
    with pytest.raises(ConfigError) as refused:
        loaded(folder, **given)
    return str(refused.value)


def test_defaults_are_enough(tmp_path: Path) -> None:
    settings = loaded(tmp_path / "instance")

    assert settings["SQLALCHEMY_DATABASE_URI"] == f"sqlite:///{tmp_path}/instance/hikflask.sqlite3"
    assert (settings["WORKER"], settings["WORKER_THREADS"], settings["CAPTURE_TIMEOUT"]) == ("embedded", 8, 30.0)
    assert Path(settings["UPLOADS"]).is_dir()


def test_each_source_wins_over_the_one_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "config.py").write_text("CAPTURE_TIMEOUT = 11\nREAD_TIMEOUT = 11\nLEASE_WAIT = 11\n")
    monkeypatch.setenv("HIKFLASK_READ_TIMEOUT", "12")
    monkeypatch.setenv("HIKFLASK_LEASE_WAIT", "12")

    settings = loaded(tmp_path, LEASE_WAIT=13)

    names = ("CONNECT_TIMEOUT", "CAPTURE_TIMEOUT", "READ_TIMEOUT", "LEASE_WAIT")
    assert [settings[name] for name in names] == [3.0, 11.0, 12.0, 13.0]


def test_mistake_in_the_file_is_told_by_its_line_and_without_what_it_says(tmp_path: Path) -> None:
    file = tmp_path / "config.py"
    mistakes = {
        "\nCONSENT = require\n": "NameError): correct line 2",
        "CONSENT = 'required\n": "SyntaxError): correct line 1",
        "\n\nCAPTURE_TIMEOUT = float('s3cret')\n": "ValueError): correct line 3",
    }
    for text, told in mistakes.items():
        file.write_text(text)
        assert refusal(tmp_path) == f"{file} cannot be used ({told}."
    file.unlink()
    file.symlink_to(file)
    assert refusal(tmp_path) == f"{file} cannot be used (OSError): let this account own the file."


def test_postgresql_is_spoken_to_by_its_present_driver(tmp_path: Path) -> None:
    settings = loaded(tmp_path, DATABASE_URL="postgresql://hik:pw@db/hikflask")

    assert settings["SQLALCHEMY_DATABASE_URI"].startswith("postgresql+psycopg://hik:pw@db/hikflask?")
    assert settings["SQLALCHEMY_DATABASE_URI"].partition("://")[2] == settings["DATABASE_URL"].partition("://")[2]


def test_postgresql_is_waited_for_and_asked_whether_it_is_there_unless_the_address_says_otherwise(
    tmp_path: Path,
) -> None:
    added = "keepalives_idle=10&keepalives_interval=5&keepalives_count=3"

    usual = loaded(tmp_path, DATABASE_URL="postgresql://db/hik")
    own = loaded(tmp_path, DATABASE_URL="postgresql://db/hik?sslmode=require&tcp_user_timeout=1&connect_timeout=60")

    assert usual["DATABASE_URL"] == f"postgresql://db/hik?connect_timeout=5&tcp_user_timeout=15000&{added}"
    assert own["DATABASE_URL"] == (f"postgresql://db/hik?sslmode=require&tcp_user_timeout=1&connect_timeout=60&{added}")
    assert usual["SQLALCHEMY_ENGINE_OPTIONS"] == {"hide_parameters": True, "pool_pre_ping": True}
    assert loaded(tmp_path)["DATABASE_URL"] == f"sqlite:///{tmp_path / 'hikflask.sqlite3'}"
    assert loaded(tmp_path)["SQLALCHEMY_ENGINE_OPTIONS"]["pool_pre_ping"] is False


def test_instance_folder_is_given_by_the_environment_or_stands_beside_the_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    beside = config.instance_path()
    monkeypatch.setenv("HIKFLASK_INSTANCE_PATH", str(tmp_path))

    assert beside == str(config.PACKAGE.parent / "instance")
    assert config.instance_path() == str(tmp_path)
    assert config.instance_path({"INSTANCE_PATH": "elsewhere"}) == str(Path("elsewhere").absolute())


@pytest.mark.parametrize(
    ("name", "value", "advice"),
    [
        *[(name, value, "more than 0 and") for name in SETTINGS if name.endswith(("TIMEOUT", "Y_BASE", "INTERVAL"))
          for value in ("soon", "0", "-1", "nan", "inf", "86401", "", None)],
        ("WORKER", "inside", "embedded or external"),
        ("WORKER_THREADS", "1", "a whole value from 2 to 64"),
        ("WORKER_THREADS", "65", "a whole value from 2 to 64"),
        ("WORKER_THREADS", "many", "a whole value from 2 to 64"),
        ("TERMINAL_THREADS", "0", "a whole value from 1 to 64"),
        ("METRICS_PORT", "65535", "a port below 65535, or 0 for none"),
        ("TERMINAL_CALLS", "65", "a whole value from 1 to 64"),
        *[("TRUSTED_PROXY", name, "unix, the IP address of the proxy in front, or empty for none")
          for name in ("localhost", "10.0.0.0/8", "Unix", None)],
        *[("DATABASE_URL", url, "sqlite:///… or postgresql://…")
          for url in ("mysql://db/hikflask", "postgresql://hik:hunter2@db:port/hikflask", "hikflask", "postgresql")],
        ("METRICS_ADDRESS", "192.168.1.5", "127.0.0.1, ::1 or 0.0.0.0"),
        ("MAIL_SERVER", "mail..example.com", "the name of a mail server, or empty for no mails"),
        ("MAIL_USER", "почта", "Latin letters, digits and signs alone"),
        ("MAIL_PASSWORD", "пароль", "Latin letters, digits and signs alone"),
        ("TERMINAL_NETWORKS", "office", "networks such as 192.168.1.0/24"),
        ("TERMINAL_NETWORKS", "192.168.1.0/24, 10.0.0.1/8", "networks such as 192.168.1.0/24"),
        ("TERMINAL_REQUIRE", "https,md5", "one or more of https, sha256, networks"),
        *[("AUDIT_RETENTION", days, "whole days, 30 or more") for days in ("29", "0", "36501", "1e3")],
        *[("PUSH_ADDRESS", address, "an IPv4 address with its port, such as http://192.168.1.5:80; no name")
          for address in ("http://hikflask.example", "https://10.0.0.5", "10.0.0.5:80", "http://10.0.0.5:80/in",
                          "http://0.0.0.0:80", "http://10.0.0.5:port", "http://[fd12::1]:80")],
        ("TERMINAL_PICTURES", "yes", "keep, discard or empty"),
        ("TIMEZONE", "Moscow", "a zone name such as Europe/Moscow"),
        ("TIMEZONE", "/etc/passwd", "a zone name such as Europe/Moscow"),
    ],
)  # fmt: skip
def test_value_that_is_not_allowed_is_refused_by_name_with_what_is(
    tmp_path: Path, name: str, value: object, advice: str
) -> None:
    assert refusal(tmp_path, **{name: value}).startswith(f"HIKFLASK_{name} cannot be used: set it to {advice}")


def test_audit_trail_is_kept_for_thirty_days_at_least(tmp_path: Path) -> None:
    assert loaded(tmp_path, AUDIT_RETENTION="30")["AUDIT_RETENTION"] == 30


def test_unsaved_picture_is_kept_as_long_as_its_terminal_is_held_for_it(tmp_path: Path) -> None:
    assert loaded(tmp_path, CAPTURE_RETENTION="300", CAPTURE_HOLD="300")["CAPTURE_RETENTION"] == 300.0

    said = refusal(tmp_path, CAPTURE_RETENTION="299", CAPTURE_HOLD="300")

    assert said.startswith("HIKFLASK_CAPTURE_RETENTION is shorter than HIKFLASK_CAPTURE_HOLD")
    assert said.endswith("set it to 300 or more.")


@pytest.mark.parametrize("text", ["10.0.0.0/8,fd12::/48 192.168.1.64", "  10.0.0.0/8 , fd12::/48,\n192.168.1.64 "])
def test_networks_are_separated_by_commas_or_spaces(tmp_path: Path, text: str) -> None:
    networks = loaded(tmp_path, TERMINAL_NETWORKS=text)["TERMINAL_NETWORKS"]

    assert [str(network) for network in networks] == ["10.0.0.0/8", "fd12::/48", "192.168.1.64/32"]
    assert loaded(tmp_path)["TERMINAL_NETWORKS"] == ()


@pytest.mark.parametrize(
    ("text", "required"),
    [
        ("", ()),
        ("https", ("https",)),
        (" sha256 https,", ("https", "sha256")),
        ("https,sha256,https", ("https", "sha256")),
    ],
)
def test_what_terminals_must_do_is_a_list_of_words(tmp_path: Path, text: str, required: tuple[str, ...]) -> None:
    assert loaded(tmp_path, TERMINAL_REQUIRE=text)["TERMINAL_REQUIRE"] == required


def test_mail_needs_a_sender_and_sends_no_password_in_clear(tmp_path: Path) -> None:
    given = {"MAIL_SERVER": "mail.test", "MAIL_FROM": "a@example.com", "MAIL_TO": "b@example.com, c@example.com"}
    assert loaded(tmp_path, **given)["MAIL_TO"] == ["b@example.com", "c@example.com"]

    missing = "HIKFLASK_MAIL_SERVER is set, but not who mails are from: set HIKFLASK_MAIL_FROM to one address."
    for wrong in ({"MAIL_FROM": ""}, {"MAIL_FROM": "a@example.com b@example.com"}):
        assert refusal(tmp_path, **{**given, **wrong}) == missing
    for address in ("anna", "Анна <a@example.com>", "a@example.com;b@example.com", "a@b\r\nBcc:x@y"):
        assert refusal(tmp_path, MAIL_TO=address) == (
            "HIKFLASK_MAIL_TO cannot be used: set it to one or more addresses such as admin@example.com, "
            "or empty for no mails."
        )
    assert refusal(tmp_path, **given, MAIL_USER="a", MAIL_PASSWORD="secret-1", MAIL_TLS="none") == (
        "HIKFLASK_MAIL_TLS is none, so HIKFLASK_MAIL_PASSWORD would be sent for everybody to read: "
        "set HIKFLASK_MAIL_TLS to starttls or tls, or leave HIKFLASK_MAIL_USER unset."
    )


def test_working_hours_have_one_spelling(tmp_path: Path) -> None:
    for given, kept in {
        "": "",
        " mon-fri 08:00-18:00 ": "Mon-Fri 08:00-18:00",
        "Sat  09:30-12:00": "Sat 09:30-12:00",
        "Tue-Tue 00:00-23:59": "Tue 00:00-23:59",
    }.items():
        assert loaded(tmp_path, WORKING_HOURS=given)["WORKING_HOURS"] == kept
    for wrong in (
        "08:00-18:00",
        "Fri-Mon 08:00-18:00",
        "Mon-Fri 18:00-08:00",
        "Mon 8:00-18:00",
        "Mon 08:00-24:00",
        "Пн 08:00-18:00",
    ):
        assert refusal(tmp_path, WORKING_HOURS=wrong) == (
            "HIKFLASK_WORKING_HOURS cannot be used: set it to days and hours such as Mon-Fri 08:00-18:00, "
            "or empty for all of the week."
        )


def test_networks_that_are_required_must_be_set(tmp_path: Path) -> None:
    required = {"TERMINAL_REQUIRE": "https,sha256,networks"}
    loaded(tmp_path, **required, TERMINAL_NETWORKS="10.0.0.0/8")

    assert refusal(tmp_path, **required) == (
        "HIKFLASK_TERMINAL_REQUIRE lists networks, but any network is allowed: set HIKFLASK_TERMINAL_NETWORKS to the "
        "networks that terminals are in."
    )


def test_address_for_pushes_has_its_port_and_must_be_set_for_them(tmp_path: Path) -> None:
    pushes = loaded(tmp_path, PASSAGES="push", PUSH_ADDRESS="http://192.168.1.5/")
    assert pushes["PUSH_ADDRESS"] == "http://192.168.1.5:80"

    assert refusal(tmp_path, PASSAGES="push") == (
        "HIKFLASK_PASSAGES is push, but HIKFLASK_PUSH_ADDRESS is not set: set it to the address at which terminals "
        "reach this server, such as http://192.168.1.5:80."
    )


def test_refusal_does_not_repeat_a_password(tmp_path: Path) -> None:
    assert "hunter2" not in refusal(tmp_path, DATABASE_URL="mysql://hik:hunter2@db/hikflask")


@pytest.mark.parametrize(
    "key",
    [
        "dev",
        "short",
        "a" * 40,
        "ababababababababababab",
        "your-secret-key-here",
        "dev-secret-key-change-in-production",
        "CHANGE_ME_CHANGE_ME_1234",
        "please-change-this-now",
        "you-will-never-guess",
        "my-super-top-secret!",
        "hikvision_password_2025",
        "192b9bdd22ab9ed4d12e236c78afcb9a393ec15f71bbf5dc987d54727823bcbf",
    ],
)
def test_secret_key_that_others_know_is_refused(tmp_path: Path, key: str) -> None:
    sentence = refusal(tmp_path, SECRET_KEY=key)

    assert sentence.startswith("HIKFLASK_SECRET_KEY is too short or well known")
    assert "secrets.token_urlsafe(48)" in sentence


def test_secret_key_that_is_given_is_used_and_not_written(tmp_path: Path) -> None:
    assert loaded(tmp_path, SECRET_KEY=GOOD_KEY)["SECRET_KEY"] == GOOD_KEY
    assert not (tmp_path / "secret_key").exists()


@pytest.mark.parametrize("key", ["x", "Ключ", "A" * 44])
def test_password_key_that_is_no_fernet_key_is_refused(tmp_path: Path, key: str) -> None:
    sentence = refusal(tmp_path, PASSWORD_KEY=key)

    assert sentence.startswith("HIKFLASK_PASSWORD_KEY is no Fernet key")
    assert key not in sentence.removeprefix("HIKFLASK_PASSWORD_KEY is no Fernet key") or len(key) == 1


@pytest.mark.parametrize("text", ["", "x", "Ключ", pytest.param(f"{Fernet.generate_key().decode()}\nx", id="more")])
def test_key_file_that_holds_something_else_is_refused_with_the_cure(tmp_path: Path, text: str) -> None:
    (tmp_path / "password_key").touch(mode=0o600)
    (tmp_path / "password_key").write_text(text)

    sentence = refusal(tmp_path)

    assert str(tmp_path / "password_key") in sentence
    assert "\n" not in sentence


@pytest.mark.parametrize("between", [",", " ", "\n", ", "])
def test_several_password_keys_may_be_given(tmp_path: Path, between: str) -> None:
    keys = [Fernet.generate_key().decode() for _ in range(2)]

    settings = loaded(tmp_path, PASSWORD_KEY=between.join(keys))

    assert key_file.split(settings["PASSWORD_KEY"]) == keys
    assert settings["PASSWORD_KEY_FILE"] is None
    assert not (tmp_path / "password_key").exists()


def test_keys_are_made_once_for_their_owner_alone(tmp_path: Path) -> None:
    first = loaded(tmp_path)

    second = loaded(tmp_path)

    for name in ("SECRET_KEY", "PASSWORD_KEY"):
        file = tmp_path / name.lower()
        assert first[name] == second[name] == file.read_text().strip()
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert first["SECRET_KEY"] != first["PASSWORD_KEY"]
    assert Fernet(first["PASSWORD_KEY"].encode())
    assert {path.name for path in tmp_path.iterdir()} == {"secret_key", "password_key", "uploads"}


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644])
@pytest.mark.parametrize("name", ["secret_key", "password_key"])
def test_key_that_others_can_read_is_refused_with_the_cure(tmp_path: Path, name: str, mode: int) -> None:
    loaded(tmp_path)
    (tmp_path / name).chmod(mode)

    assert refusal(tmp_path) == f"Others can read {tmp_path / name}: run `chmod 600 {tmp_path / name}`."


@pytest.mark.parametrize("name", ["secret_key", "password_key"])
def test_key_that_cannot_be_read_is_refused_with_the_cure(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir(mode=0o700)

    sentence = refusal(tmp_path)

    assert str(tmp_path / name) in sentence
    assert f"HIKFLASK_{name.upper()}" in sentence


def test_empty_or_short_key_file_is_refused_with_the_cure(tmp_path: Path) -> None:
    loaded(tmp_path)
    file = tmp_path / "secret_key"
    for text in ("", "short"):
        file.write_text(text)

        assert refusal(tmp_path) == (
            f"The key in {file} is too short or well known: restore the file, or delete it to have one made. Then "
            "everybody has to sign in again."
        )
    file.unlink()
    assert loaded(tmp_path)["SECRET_KEY"] == file.read_text().strip()


def test_lost_password_key_is_not_made_anew_in_silence(tmp_path: Path) -> None:
    first = loaded(tmp_path)["PASSWORD_KEY"]
    (tmp_path / "password_key").unlink()

    assert refusal(tmp_path) == (
        f"{tmp_path}/password_key is missing: restore it, or set HIKFLASK_PASSWORD_KEY to the key that the terminals' "
        f"passwords were encrypted with. Only if it is lost for good, delete {tmp_path}/secret_key, too, to have both "
        "made anew."
    )
    assert not (tmp_path / "password_key").exists()
    assert loaded(tmp_path, PASSWORD_KEY=first)["PASSWORD_KEY"] == first
    (tmp_path / "secret_key").unlink()
    assert loaded(tmp_path)["PASSWORD_KEY"] != first


@pytest.mark.parametrize("database", ["", "postgresql://hikflask@db.test/hikflask"])
def test_lost_password_key_is_not_made_anew_where_the_other_key_is_a_setting(tmp_path: Path, database: str) -> None:
    secret = "a-secret-of-the-environment-1234567"
    first = loaded(tmp_path, SECRET_KEY=secret, DATABASE_URL=database)["PASSWORD_KEY"]
    (tmp_path / "password_key").unlink()

    assert refusal(tmp_path, SECRET_KEY=secret, DATABASE_URL=database) == (
        f"{tmp_path}/password_key is missing: restore it, or set HIKFLASK_PASSWORD_KEY to the key that the terminals' "
        "passwords were encrypted with. Only if it is lost for good, put a new one there, such as `python -c 'from "
        "cryptography.fernet import Fernet; print(Fernet.generate_key().decode())'` prints."
    )
    assert not (tmp_path / "password_key").exists()
    assert loaded(tmp_path, SECRET_KEY=secret, PASSWORD_KEY=first)["PASSWORD_KEY"] == first
    (tmp_path / "uploads").rmdir()
    (tmp_path / "hikflask.sqlite3").touch()
    assert refusal(tmp_path, SECRET_KEY=secret).startswith(f"{tmp_path}/password_key is missing: restore it")


def test_disk_that_is_read_only_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded(tmp_path)
    there = os.statvfs(tmp_path)
    read_only = os.statvfs_result((*there[:8], there.f_flag | os.ST_RDONLY, there.f_namemax))
    with monkeypatch.context() as patch:
        patch.setattr(os, "statvfs", lambda _: read_only)
        told = refusal(tmp_path)

    assert told == (
        f"The disk of {tmp_path} is read-only, as the kernel makes one that has errors: `dmesg` says why. Once it is "
        "sound, restart this machine, or mount it for writing with `mount -o remount,rw`."
    )


def test_instance_folder_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    sentence = refusal(tmp_path / "file" / "instance")

    assert sentence.startswith(f"The instance folder {tmp_path}/file/instance is not writable")
    assert "HIKFLASK_INSTANCE_PATH" in sentence


def test_uploads_that_are_no_folder_are_refused(tmp_path: Path) -> None:
    (tmp_path / "uploads").touch()

    assert "HIKFLASK_INSTANCE_PATH" in refusal(tmp_path)


RACER = """
import json, sys
from flask import Config
from hikflask import config
print("ready", flush=True)
sys.stdin.readline()
settings = Config(sys.argv[1])
config.load(settings, sys.argv[1], {})
print(json.dumps([settings["SECRET_KEY"], settings["PASSWORD_KEY"]]))
"""


@pytest.mark.long
def test_processes_that_start_together_get_the_same_keys(tmp_path: Path) -> None:
    start = [sys.executable, "-c", RACER, str(tmp_path)]
    environment = {**os.environ, "PYTHONPATH": str(config.PACKAGE.parent)}
    racers = [
        subprocess.Popen(start, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)
        for _ in range(4)
    ]
    for racer in racers:
        assert racer.stdout is not None
        racer.stdout.readline()

    for racer in racers:
        assert racer.stdin is not None
        racer.stdin.write("go\n")
        racer.stdin.flush()
    keys = [json.loads(racer.communicate(timeout=30)[0]) for racer in racers]

    assert len({tuple(pair) for pair in keys}) == 1
    assert keys[0][0] == (tmp_path / "secret_key").read_text().strip()
    assert {path.name for path in tmp_path.iterdir()} == {"secret_key", "password_key", "uploads"}


def test_directory_that_is_set_halfway_is_refused_with_what_is_missing(tmp_path: Path) -> None:
    whole = {
        "LDAP_URL": "ldaps://dc1.corp.example", "LDAP_BASE": "dc=corp", "LDAP_BIND_DN": "cn=own,dc=corp",
        "LDAP_BIND_PASSWORD": "x", "LDAP_GROUPS": "admin:cn=a,dc=corp; viewer:cn=b,dc=corp",
    }  # fmt: skip
    groups = loaded(tmp_path, **whole)["LDAP_GROUPS"]
    assert groups == (("admin", "cn=a,dc=corp"), ("viewer", "cn=b,dc=corp"))
    as_themselves = {**whole, "LDAP_BIND_DN": "", "LDAP_BIND_PASSWORD": "", "LDAP_USER_DN": "{name}@corp.example"}
    assert loaded(tmp_path, **as_themselves)["LDAP_URL"]

    for name in ("LDAP_BASE", "LDAP_GROUPS", "LDAP_BIND_DN", "LDAP_BIND_PASSWORD"):
        assert f"HIKFLASK_{name}" in refusal(tmp_path, **{**whole, name: ""})
    wrong = {
        "LDAP_URL": ("dc1", "http://dc1", "ldaps://"), "LDAP_CA": ("/no/file",), "LDAP_USER_DN": ("uid=x", "{name}{x}"),
        "LDAP_GROUPS": ("root:cn=a", "admin:", "admin"), "LDAP_NAME": ("", "u)id"), "LDAP_FILTER": ("", "person"),
    }  # fmt: skip
    for name, texts in wrong.items():
        for text in texts:
            assert refusal(tmp_path, **{**whole, name: text}).startswith(f"HIKFLASK_{name} cannot be used"), text
