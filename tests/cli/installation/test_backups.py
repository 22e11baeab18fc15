"""`backup` and `restore`: everything is in one file, and comes back whole or not at all."""

import errno
import itertools
import json
import os
import re
import shlex
import sqlite3
import stat
import subprocess
import tarfile
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from alembic.script import ScriptDirectory
from flask import Flask
from flask_migrate import downgrade, upgrade
from sqlalchemy import delete, select, text

from hikflask import create_app
from hikflask.extensions import db, vault
from hikflask.models import (
    Alarm,
    AuditEntry,
    Backup,
    Employee,
    Heartbeat,
    Operator,
    OperatorSession,
    Photo,
    Terminal,
    WebhookDelivery,
)
from hikflask.models.columns import database_now
from hikflask.services.backups import archive, postgresql
from hikflask.services.backups.archive import DATABASES, Manifest, Writer
from hikflask.services.captures.drafts import Draft
from hikflask.services.employees.save import save_employee
from hikflask.services.photos import storage
from hikflask.services.webhooks import deliveries
from hikflask.services.webhooks import registry as webhooks
from hikflask.simulator import Terminal as Simulated
from tests.conftest import PASSWORD
from tests.support.apps import close
from tests.support.backups import PASSPHRASE, another, back_up, restore, run
from tests.support.disk_usage import let_be_free
from tests.support.enrolments import enrol
from tests.support.postgresql import Cluster
from tests.support.signed_in import OPERATOR_NAME, client_of

LONG = "a long password of a test"
ROOT = Path(__file__).parents[3]
NO_KEY = (
    "Error: The password key does not open the terminals' passwords in this backup. Put the key file of then to {}, "
    "give the passphrase of the backup's keys, or restore with --without-key and type the terminals' passwords again.\n"
)


@pytest.fixture
def cluster_of(request: pytest.FixtureRequest, database: dict[str, str]) -> Cluster | None:
    return request.getfixturevalue("cluster") if database else None


@pytest.fixture
def filled(app: Flask, simulator: Simulated, terminal: Terminal) -> Flask:
    """An installation with somebody on a terminal, a face, and an operator who is signed in."""
    client_of(app)
    with app.app_context():
        enrol(simulator, terminal)
        save_employee(Draft("100333", "Ольга Ёлкина"))
        db.session.remove()
    return app


def rows(app: Flask) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table, as the models read it."""
    with app.app_context():
        found = {
            table.name: sorted((tuple(row) for row in db.session.execute(select(table))), key=repr)
            for table in db.metadata.sorted_tables
        }
        db.session.remove()
        db.engine.dispose()
    return found


def message_of_a_test(app: Flask) -> str:
    """What a receiver knows the message by that a test of the webhook writes down."""
    with app.app_context():
        webhooks.test(1)
        newest = db.session.execute(select(WebhookDelivery).order_by(WebhookDelivery.id.desc()).limit(1)).scalar_one()
        message_id = newest.message_id
        db.session.commit()
    return message_id


def photos(app: Flask) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in Path(app.config["UPLOADS"]).iterdir()}


def said(app: Flask, *arguments: object, given: str = "") -> str:
    """What a refused command says; it changes nothing."""
    folder = Path(app.config["INSTANCE_PATH"])
    before = {path.name for path in folder.rglob("*")} - {"hikflask.sqlite3-wal", "hikflask.sqlite3-shm"}
    done = run(app, *arguments, given=given)
    after = {path.name for path in folder.rglob("*")} - {"hikflask.sqlite3-wal", "hikflask.sqlite3-shm"}
    assert (done.exit_code, done.stdout, after) == (1, "", before)
    return done.stderr


@pytest.mark.both_databases
def test_everything_comes_back_and_the_past_does_not_act_on_the_present(
    filled: Flask, tmp_path: Path, cluster_of: Cluster | None
) -> None:
    with filled.app_context():
        webhooks.add("http://127.0.0.1:9/", frozenset({"enrolled"}))
    message_of_a_test(filled)
    before, pictures = rows(filled), photos(filled)
    file = back_up(filled, tmp_path / "backup.tar")
    sent_since = message_of_a_test(filled)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir() if "part" in path.name] == []

    with another(filled, tmp_path / "new", cluster_of) as other:
        checked = restore(other, file, "--check")
        assert "The backup is whole. Nothing was changed.\n" in checked.stdout
        assert photos(other) == {}
        done = restore(other, file)
        assert (done.exit_code, done.stderr) == (0, "")
        assert done.stdout.endswith(
            "Restored. Start the service. Nothing is written to a terminal before it was compared and an administrator "
            "allowed it on its page.\n"
        )
        after = rows(other)

        changed = {"terminal", "operator_session", "heartbeat", "audit", "webhook_delivery"}
        assert {name: after[name] for name in after if name not in changed} == {
            name: before[name] for name in before if name not in changed
        }
        assert before["operator_session"]
        assert photos(other) == pictures
        for name in ("secret_key", "password_key"):
            key = tmp_path / "new" / name
            assert key.read_text() == (tmp_path / name).read_text()
            assert stat.S_IMODE(key.stat().st_mode) == 0o600
        assert {path.name for path in (tmp_path / "new").iterdir()} <= {
            "hikflask.sqlite3", "hikflask.sqlite3-wal", "hikflask.sqlite3-shm", "uploads", "secret_key", "password_key",
        }  # fmt: skip
        # The keys of the current process are those of before; a new one opens the passwords.
        again = run(other, "restore", "--check", file)
        assert "No key here opens" in again.stdout
        with other.app_context():
            assert not db.session.execute(select(OperatorSession)).all()
            entry = db.session.execute(select(AuditEntry).order_by(AuditEntry.id.desc()).limit(1)).scalar_one()
            assert (entry.action, entry.actor) == ("installation.restored", "command line")
            (terminal,) = db.session.execute(select(Terminal)).scalars()
            backup = next(line for line in done.stdout.splitlines() if line.startswith("Backup of "))
            assert f"{terminal.restored_from:%Y-%m-%d %H:%M:%S} UTC" in backup
            # What waited for a receiver then is not sent by itself, and no message is taken for another.
            assert before["webhook_delivery"]
            assert deliveries.due_webhooks() == []
            assert [one.next_attempt_at for one in db.session.execute(select(WebhookDelivery)).scalars()] == [None]
            db.session.commit()
            sent_now = message_of_a_test(other)
            assert sent_now.split("-")[0] == sent_since.split("-")[0]
            assert sent_now != sent_since
            # Ids go on, and triggers work: an index of names, counts, and the append-only trail.
            new = save_employee(Draft("100777", "Новый Человек")).row
            assert new.id > max(row[0] for row in before["employee"])
            with pytest.raises(Exception, match="append-only"):
                db.session.execute(text("UPDATE audit SET actor = ''"))
            db.session.rollback()


@pytest.mark.both_databases
def test_installation_that_ran_and_was_only_touched_from_outside_is_restored_into(
    filled: Flask, tmp_path: Path, cluster_of: Cluster | None, migrated: Path
) -> None:
    """The service was started, a program came with its old token, somebody tried to sign in, and the night passed."""
    file, before = back_up(filled, tmp_path / "b.tar"), rows(filled)
    before["backup"] = []  # The row about a backup is not in it.
    with another(filled, tmp_path / "new", cluster_of, migrated=migrated) as other:
        client = other.test_client()
        assert client.get("/metrics", headers={"Authorization": "Bearer hik_old"}).status_code == 401
        assert client.post("/sign-in", data={"name": "Анна", "password": "x"}).status_code == 401
        assert run(other, "backup", tmp_path / "nightly.tar").exit_code == 0
        with other.app_context():
            db.session.add(Alarm(key="backup", kind="backup", began_at=database_now()))
            db.session.add(Heartbeat(worker="a:1", seen_at=database_now(-60)))  # It was stopped.
            db.session.commit()
        touched = {name for name, found in rows(other).items() if found}
        assert touched - {"employee_count"} == {"alarm", "audit", "backup", "heartbeat", "throttle"}

        done = restore(other, file)

        assert (done.exit_code, done.stderr) == (0, "")
        after = rows(other)
        *trail, entry = sorted(after["audit"])
        assert trail == sorted(before["audit"])
        assert "installation.restored" in entry
        for name in ("alarm", "backup", "employee", "heartbeat", "throttle"):
            assert after[name] == before[name]
        # Now it is used.
        assert said(other, "restore", file).startswith("Error: This installation is not empty: it has rows in the ")


@pytest.mark.both_databases
def test_backup_is_remembered_with_what_is_in_it(filled: Flask, tmp_path: Path) -> None:
    with filled.app_context():
        (name,) = (path.name for path in storage.folder().iterdir())
        missing = save_employee(Draft("100444", "Без Файла")).row
        db.session.add(
            Photo(file="100444_aaaaaaaaaaaaaaaaaaaaaa.jpg", sha256="0", source="upload", employee_id=missing.id)
        )
        db.session.add(Photo(file="100444_gone.jpg", sha256="0", source="upload", forgotten_at=database_now(-9)))
        db.session.commit()

    done = run(filled, "backup", tmp_path / "b.tar")

    # Loud, but made: all else is in it.
    assert done.exit_code == 3
    assert done.stderr == (
        "Error: The files of 1 photos are missing, so they are not in this backup: 100444_aaaaaaaaaaaaaaaaaaaaaa.jpg. "
        "Put them back with `flask --app wsgi restore --photos FILE`, where FILE is the last backup that has them, and "
        "take the others anew.\n"
    )
    with filled.app_context():
        made = db.session.execute(select(Backup)).scalar_one()
        assert (made.photos, made.missing, made.with_keys) == (1, 1, False)
        assert made.size == (tmp_path / "b.tar").stat().st_size
        assert done.stdout == f"{tmp_path / 'b.tar'}: {made.rows} rows, 1 photos, without keys.\n"
    with tarfile.open(tmp_path / "b.tar") as tar:
        assert [one.partition(".")[0] for one in tar.getnames()] == ["database", f"uploads/{name[:-4]}", "manifest"]
        manifest = json.load(tar.extractfile("manifest.json"))  # type: ignore[arg-type]
    assert manifest["missing"] == ["100444_aaaaaaaaaaaaaaaaaaaaaa.jpg"]
    assert manifest["rows"]["employee"] == 3


def test_photo_that_is_renamed_or_deleted_meanwhile_is_no_error(
    filled: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with filled.app_context():
        (old,) = (path.name for path in storage.folder().iterdir())
        db.session.add(Photo(file="100444_aaaaaaaaaaaaaaaaaaaaaa.jpg", sha256="0", source="upload"))
        db.session.commit()
        picture = (storage.folder() / old).read_bytes()
        new = f"100999{old[6:]}"
    opened = os.open

    def meanwhile(path: object, flags: int, *rest: int, **more: object) -> int:
        """When the first photo's turn comes, the database is copied already."""
        if Path(str(path)).name == old:
            (Path(filled.config["UPLOADS"]) / old).rename(Path(filled.config["UPLOADS"]) / new)
            with db.engine.begin() as connection:
                connection.execute(text("UPDATE photo SET file = :new WHERE file = :old"), {"new": new, "old": old})
                connection.execute(text("DELETE FROM photo WHERE file LIKE '100444%'"))
        return opened(path, flags, *rest, **more)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(os, "open", meanwhile)
        done = run(filled, "backup", tmp_path / "b.tar")

    assert (done.exit_code, done.stderr) == (0, "")
    with tarfile.open(tmp_path / "b.tar") as tar:
        assert tar.extractfile(f"uploads/{old}").read() == picture  # type: ignore[union-attr]


def test_everything_goes_on_meanwhile(filled: Flask, tmp_path: Path) -> None:
    ended = threading.Event()

    def save_one_after_another() -> None:
        with filled.app_context():
            for number in itertools.count(200000):
                save_employee(Draft(str(number), "Иван Иванов"))
                if ended.is_set():
                    break
            db.session.remove()

    with ThreadPoolExecutor(1) as others:
        saving = others.submit(save_one_after_another)
        try:
            file = back_up(filled, tmp_path / "b.tar")
        finally:
            ended.set()
        saving.result()

    with another(filled, tmp_path / "new") as other:
        assert restore(other, file).exit_code == 0
        with tarfile.open(file) as tar:
            told = json.load(tar.extractfile("manifest.json"))["rows"]  # type: ignore[arg-type]
        rows_there = rows(other)
    # One moment: each employee is there with the entry about it.
    assert len(rows_there["employee"]) == told["employee"]
    added = [row for row in rows_there["audit"] if "employee.created" in row]
    assert len(added) == len(rows_there["employee"])


def test_rotation_keeps_the_newest_and_touches_nothing_else(filled: Flask, tmp_path: Path) -> None:
    folder = tmp_path / "backups"
    folder.mkdir()
    old = [f"hikflask-2026010{day}-030000.tar" for day in range(1, 5)]
    for name in (*old, "hikflask-old.tar", "other.tar"):
        (folder / name).write_text("x")
    (folder / ".hikflask.part").write_text("left by a killed one")

    done = run(filled, "backup", "--into", folder, "--keep", 3)

    assert done.exit_code == 0
    left = sorted(path.name for path in folder.iterdir())
    assert left[:2] == old[2:]
    assert len(left) == 5
    assert left[3:] == ["hikflask-old.tar", "other.tar"]
    # Whoever could read what the killed one left cannot read this one.
    assert stat.S_IMODE((folder / left[2]).stat().st_mode) == 0o600
    assert run(filled, "restore", "--check", folder / left[2]).exit_code == 0
    for day in range(1, 15):
        (folder / f"hikflask-202512{day:02}-030000.tar").write_text("x")

    assert run(filled, "backup", "--into", folder).exit_code == 0

    assert len(list(folder.glob("hikflask-20*.tar"))) == 14
    filled.config["BACKUP_KEEP"] = 2
    assert run(filled, "backup", "--into", folder).exit_code == 0
    assert len(list(folder.glob("hikflask-20*.tar"))) == 2


def test_link_in_the_place_of_a_backup_that_is_made_is_not_followed(filled: Flask, tmp_path: Path) -> None:
    theirs = tmp_path / "theirs"
    theirs.write_text("x")
    (tmp_path / ".backup.tar.part").symlink_to(theirs)

    done = run(filled, "backup", tmp_path / "backup.tar")

    assert (done.exit_code, theirs.read_text()) == (1, "x")
    assert "cannot be written: Too many levels of symbolic links." in done.stderr


def lose_photos(app: Flask) -> dict[str, bytes]:
    """Remove the files of all photos, as an empty disk in their place would; return them."""
    lost = photos(app)
    for name in lost:
        (Path(app.config["UPLOADS"]) / name).unlink()
    return lost


def test_last_backup_that_has_the_missing_photos_is_never_deleted_and_puts_them_back(
    filled: Flask, tmp_path: Path
) -> None:
    folder = tmp_path / "backups"
    folder.mkdir()
    assert run(filled, "backup", "--into", folder).exit_code == 0
    (made,) = folder.iterdir()
    with_photos, older = folder / "hikflask-20260102-030000.tar", folder / "hikflask-20260101-030000.tar"
    made.rename(with_photos)
    older.write_bytes(with_photos.read_bytes())
    lost = lose_photos(filled)

    for night in range(3, 6):
        assert run(filled, "backup", "--into", folder, "--keep", 2).exit_code == 3
        max(folder.iterdir()).rename(folder / f"hikflask-2026010{night}-030000.tar")

    name = "100999_of_a_new_id.jpg"
    left = [f"hikflask-2026010{night}-030000.tar" for night in (2, 4, 5)]
    assert sorted(path.name for path in folder.iterdir()) == left
    with filled.app_context():
        db.session.execute(text("UPDATE photo SET file = :name"), {"name": name})
        db.session.commit()
    done = run(filled, "restore", "--photos", with_photos)
    assert (done.exit_code, done.output) == (0, "Photos put back: 1. Photos whose files are still missing: 0.\n")
    assert (list(photos(filled)), list(photos(filled).values())) == ([name], list(lost.values()))
    assert run(filled, "backup", "--into", folder, "--keep", 2).exit_code == 0
    assert len(list(folder.iterdir())) == 2


def test_file_that_has_the_missing_photos_is_not_replaced(filled: Flask, tmp_path: Path) -> None:
    file = tmp_path / "b.tar"
    assert run(filled, "backup", file).exit_code == 0
    whole = file.read_bytes()
    lose_photos(filled)

    assert said(filled, "backup", file) == (
        f"Error: The files of 1 photos are missing, and {file} has photos that this backup would not have, so it "
        "stays: put them back from there with `hikflask restore --photos`, or back up to another file.\n"
    )
    assert file.read_bytes() == whole


def test_failed_backup_leaves_the_one_before(filled: Flask, tmp_path: Path) -> None:
    file, folder = tmp_path / "b.tar", tmp_path / "backups"
    folder.mkdir()
    old = folder / "hikflask-20260101-030000.tar"
    file.write_text("the one before")
    old.write_text("the one before")

    short = run(filled, "backup", file, "--with-keys", "--passphrase-stdin", given="short\n")
    long = run(filled, "backup", "--into", folder, "--keep", 1, "--with-keys", "--passphrase-stdin", given="short\n")

    for done in (short, long):
        assert (done.exit_code, done.stderr) == (1, "Error: The passphrase must have 12 characters or more.\n")
    assert file.read_text() == old.read_text() == "the one before"
    assert [path.name for path in folder.iterdir()] == [old.name]
    nowhere = run(filled, "backup", tmp_path / "none" / "b.tar")
    assert nowhere.stderr == f"Error: {tmp_path / 'none' / 'b.tar'} cannot be written: No such file or directory.\n"


def test_wrong_use_is_explained(filled: Flask, tmp_path: Path) -> None:
    usage = "Error: Give FILE, or --into FOLDER, which --keep is for.\n"
    both = ["b.tar", "--into", tmp_path]
    for arguments in ([], ["b.tar", "--keep", 3], both, [*both, "--keep", 3]):
        assert run(filled, "backup", *arguments).stderr.endswith(usage)
    alone = run(filled, "backup", tmp_path / "b.tar", "--passphrase-stdin")
    assert alone.stderr.endswith("Error: --passphrase-stdin is for --with-keys.\n")
    assert not (tmp_path / "b.tar").exists()


def test_keys_are_asked_for_and_must_fit(filled: Flask, tmp_path: Path) -> None:
    file = back_up(filled, tmp_path / "k.tar")
    run(filled, "backup", tmp_path / "b.tar")
    content = file.read_bytes()
    for name in ("secret_key", "password_key"):
        assert (tmp_path / name).read_bytes().strip() not in content
    with another(filled, tmp_path / "new") as other:
        wrong = "Error: The passphrase does not open the keys in this backup, or they were changed.\n"
        for options in ([], ["--check"]):
            assert said(other, "restore", file, "--passphrase-stdin", *options, given="wrong passphrase\n") == wrong
        assert said(other, "restore", tmp_path / "b.tar", "--passphrase-stdin", given=f"{PASSPHRASE}\n") == (
            "Error: This backup has no keys, so it needs no passphrase.\n"
        )
        for backup in (file, tmp_path / "b.tar"):
            assert said(other, "restore", backup) == NO_KEY.format(tmp_path / "new" / "password_key")
        done = run(other, "restore", tmp_path / "b.tar", "--without-key")
        assert (done.exit_code, done.stderr) == (0, "")
    # With the key file of then no passphrase is needed.
    (tmp_path / "newer").mkdir()
    (tmp_path / "newer" / "password_key").write_bytes((tmp_path / "password_key").read_bytes())
    (tmp_path / "newer" / "password_key").chmod(0o600)
    with another(filled, tmp_path / "newer") as other:
        assert run(other, "restore", tmp_path / "b.tar").exit_code == 0
        with other.app_context():
            (terminal,) = db.session.execute(select(Terminal)).scalars()
            assert vault.decrypt(terminal.password_encrypted) == PASSWORD


def test_only_an_empty_and_idle_installation_is_restored_into(filled: Flask, tmp_path: Path) -> None:
    file = back_up(filled, tmp_path / "k.tar")
    assert said(filled, "restore", file) == (
        "Error: This installation is not empty: it has rows in the table api_token. "
        "A backup is restored into an empty one alone.\n"
    )
    with another(filled, tmp_path / "new") as other:
        uploads = Path(other.config["UPLOADS"])
        (uploads / "100222_x.jpg").write_text("somebody's")
        files = f"Error: This installation is not empty: it has files in {uploads}. "
        assert said(other, "restore", file).startswith(files)
        (uploads / "100222_x.jpg").unlink()
        assert run(other, "db", "upgrade").exit_code == 0
        with other.app_context():
            db.session.add(Heartbeat(worker="a:1", seen_at=database_now()))
            db.session.commit()
        in_use = "Error: The installation is in use: stop the service and its workers, and try again.\n"
        assert said(other, "restore", file) == in_use
        with other.app_context():
            db.session.execute(delete(Heartbeat))
            db.session.commit()
        close(other)
        # A server without a worker has the database open all the same.
        with closing(sqlite3.connect(tmp_path / "new" / "hikflask.sqlite3")) as reader:
            reader.execute("SELECT count(*) FROM employee").fetchall()
            assert restore(other, file).stderr == in_use
        assert photos(other) == {}
        assert restore(other, file).exit_code == 0
        assert len(photos(other)) == 1


@pytest.mark.both_databases
def test_installation_with_a_first_administrator_is_emptied_for_a_restore_as_the_guide_says(
    filled: Flask, cluster_of: Cluster | None, tmp_path: Path
) -> None:
    file, folder = back_up(filled, tmp_path / "k.tar"), tmp_path / "instance"
    folder.mkdir()
    with another(filled, folder, cluster_of) as used:
        assert run(used, "db", "upgrade").exit_code == 0
        made = run(used, "operator", "create", "first", "--role", "admin", "--password-stdin", given=f"{LONG}\n")
        assert (made.exit_code, made.stderr) == (0, "")
        refused = restore(used, file)
    assert refused.stderr.startswith("Error: This installation is not empty: it has rows in the table ")

    steps = emptying("en")
    assert steps == emptying("ru")
    for step in steps:
        words = step.replace("/var/lib/hikflask", str(folder)).replace("-o hikflask -g hikflask ", "")
        subprocess.run(shlex.split(words), check=True)
    # On PostgreSQL this is another empty database, too.
    with another(filled, folder, cluster_of) as emptied:
        assert restore(emptied, file).exit_code == 0
        assert len(photos(emptied)) == 1
        with emptied.app_context():
            names = set(db.session.execute(select(Operator.name)).scalars())
    assert names == {OPERATOR_NAME}
    assert (tmp_path / "instance.before" / "uploads").is_dir()


def emptying(language: str) -> list[str]:
    """The commands by which the guide empties an installation."""
    guide = (ROOT / "docs" / language / "backup.md").read_text(encoding="utf-8")
    return re.findall(r"^\d\. `((?:mv|install) [^`]+)`$", guide, re.MULTILINE)


def test_kinds_are_not_mixed_and_the_password_is_no_argument(
    filled: Flask, tmp_path: Path, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = back_up(filled, tmp_path / "k.tar")
    with another(filled, tmp_path / "new", cluster) as other:
        assert said(other, "restore", file) == (
            "Error: This backup is of SQLite, and this installation is on PostgreSQL. Restore it on SQLite, and move "
            "it with `flask --app wsgi database copy-to`.\n"
        )
        run(other, "db", "upgrade")
        address = other.config["DATABASE_URL"]
        secret = [address.replace("hikflask@", "hikflask:s3cret@"), f"{address}&password=s3cret"]
        commands = []
        command = subprocess.run

        def seen(arguments: list[str], **options: object) -> object:
            commands.append((arguments, options["env"]))
            return command(arguments, **options)  # type: ignore[call-overload]

        close(other)
        with monkeypatch.context() as patch:
            patch.setattr(subprocess, "run", seen)
            for number, url in enumerate(secret):
                with_password = on(tmp_path / "new", url)
                assert run(with_password, "backup", tmp_path / f"{number}.tar").exit_code == 0
                close(with_password)
        with psycopg.connect(other.config["DATABASE_URL"]) as restoring:
            restoring.execute("SELECT pg_advisory_xact_lock(%s)", [postgresql.LOCK])
            again = run(on(tmp_path / "new", address), "restore", tmp_path / "0.tar")
            assert again.stderr == "Error: Another restore is running.\n"
        assert [environment["PGPASSWORD"] for _, environment in commands] == ["s3cret"] * 2  # type: ignore[index]
        assert "s3cret" not in str([arguments for arguments, _ in commands])
        arguments, _ = commands[0]
        assert Path(arguments[0]).parent == Path(f"/usr/lib/postgresql/{arguments[0].split('/')[4]}/bin")
    with another(filled, tmp_path / "other") as back:
        assert said(back, "restore", tmp_path / "0.tar") == (
            "Error: This backup is of PostgreSQL, and this installation is on SQLite. Restore it on PostgreSQL, and "
            "move it with `flask --app wsgi database copy-to`.\n"
        )


def on(folder: Path, url: str) -> Flask:
    return create_app({"INSTANCE_PATH": str(folder), "TESTING": True, "WORKER": "external", "DATABASE_URL": url})


# The first tables, and those from before there were jobs and comparisons, and details of the trail in JSON.
@pytest.mark.both_databases
@pytest.mark.parametrize("revision", ["0001", "0006"])
def test_backup_of_an_older_version_is_migrated_and_of_a_newer_one_refused(
    filled: Flask, tmp_path: Path, cluster_of: Cluster | None, revision: str
) -> None:
    """Such a backup is made before a migration."""
    with filled.app_context():
        before = db.session.execute(select(Employee.number).order_by(Employee.number)).scalars().all()
        db.session.remove()
        pictures = photos(filled)
        downgrade(revision=revision)
        old = back_up(filled, tmp_path / "old.tar")
        upgrade()
        assert db.session.execute(select(Backup)).all() == []
        db.session.remove()
    kind = "postgresql" if cluster_of else "sqlite"
    with open(tmp_path / "new.tar", "wb") as file:
        writer = Writer(file)
        writer.add_bytes(DATABASES[kind], b"")
        writer.close(Manifest(datetime.now(UTC), "9999", kind, ""))
    with another(filled, tmp_path / "new", cluster_of) as other:
        assert said(other, "restore", tmp_path / "new.tar") == (
            "Error: This backup has tables of revision 9999, which this version does not know: install the version "
            "that made it, or a newer one.\n"
        )
        # A new installation has the newest tables, all of them empty.
        assert run(other, "db", "upgrade").exit_code == 0
        done = restore(other, old)
        assert (done.exit_code, done.stderr) == (0, "")
        with other.app_context():
            assert db.session.execute(select(Employee.number).order_by(Employee.number)).scalars().all() == before
            assert all(one.restored_from for one in db.session.execute(select(Terminal)).scalars())
            assert db.session.execute(select(Backup)).all() == []
        assert photos(other) == pictures


def test_backup_is_made_of_the_tables_of_older_versions(filled: Flask, tmp_path: Path) -> None:
    """As before an upgrade where the version of then does not run any more."""
    pictures = photos(filled)
    with filled.app_context():
        revisions = [script.revision for script in ScriptDirectory(str(ROOT / "migrations")).walk_revisions()]
        # Each fifth is enough to see what they have in common, and takes a fifth of the time.
        for revision in revisions[::5]:
            downgrade(revision=revision)
            file = back_up(filled, tmp_path / "old.tar")
            with archive.opened(file) as backup:
                backup.verify()
                assert (backup.manifest.revision, set(backup.manifest.photos)) == (revision, set(pictures))


def test_database_that_is_damaged_is_neither_backed_up_nor_restored(filled: Flask, tmp_path: Path) -> None:
    with filled.app_context():
        db.session.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))
        check = vault.encrypt("")
        db.session.remove()
    close(filled)
    file = tmp_path / "hikflask.sqlite3"
    content = bytearray(file.read_bytes())
    for page in range(20, 60):
        content[page * 4096 : page * 4096 + 2000] = bytes(2000)
    with open(tmp_path / "b.tar", "wb") as made:
        writer = Writer(made)
        writer.add_bytes("database.sqlite3", b"SQLite format 3 it is not")
        writer.close(Manifest(datetime.now(UTC), "0018", "sqlite", check))
    with another(filled, tmp_path / "new") as other:
        (tmp_path / "new" / "password_key").write_bytes((tmp_path / "password_key").read_bytes())
    with another(filled, tmp_path / "new") as other:
        told = said(other, "restore", tmp_path / "b.tar")
        assert told == "Error: The database in the backup cannot be used: file is not a database\n"
    file.write_bytes(content)

    done = run(filled, "backup", tmp_path / "c.tar")

    assert done.exit_code == 1
    assert done.stderr.startswith("Error: The database is damaged, so nothing was backed up: ")
    assert not (tmp_path / "c.tar").exists()


def test_room_on_the_disk_is_looked_at_first(filled: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = back_up(filled, tmp_path / "k.tar")
    with another(filled, tmp_path / "new") as other, monkeypatch.context() as patch:
        usage = type("Usage", (), {"free": 1000})
        patch.setattr("shutil.disk_usage", lambda _: usage)
        told = restore(other, file)
        assert told.stderr == f"Error: There is not enough room in {tmp_path / 'new'}: 3 MB more are needed.\n"
        assert photos(other) == {}


def test_disk_that_gets_full_in_a_restore_is_named(
    filled: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = back_up(filled, tmp_path / "k.tar")
    with another(filled, tmp_path / "new") as other, monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        told = restore(other, file)
        assert told.stderr.startswith(f"Error: No space left where {tmp_path / 'new'} is: ")
        assert photos(other) == {}


def full(*_: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def test_disk_that_gets_full_by_a_dump_is_named(
    filled: Flask, tmp_path: Path, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pg_dump").write_text("#!/bin/sh\necho 'pg_dump: error: could not write to the file' >&2; exit 1\n")
    (tmp_path / "pg_dump").chmod(0o755)
    with another(filled, tmp_path / "new", cluster) as other:
        run(other, "db", "upgrade")
        monkeypatch.setattr(postgresql, "DEBIAN", str(tmp_path))
        failed = said(other, "backup", tmp_path / "b.tar")
        let_be_free(monkeypatch, 4096)
        without_space = said(other, "backup", tmp_path / "b.tar")

    assert failed == "Error: pg_dump failed: pg_dump: error: could not write to the file\n"
    assert without_space == (
        f"Error: No space left where {tmp_path} is: 4,096 of 107,374,182,400 bytes are free. "
        "Make room elsewhere on this disk, or make it larger; what lies in that folder is needed.\n"
    )


def commands(language: str) -> list[str]:
    """The commands in the blocks of the guide; those that name their language are not of the program."""
    guide = (ROOT / "docs" / language / "backup.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^ *```(\w*)\n(.*?)^ *```$", guide, re.MULTILINE | re.DOTALL)
    return [line.strip() for kind, block in blocks if not kind for line in block.splitlines()]


def test_every_command_of_the_guide_works(filled: Flask, tmp_path: Path) -> None:
    assert commands("en") == commands("ru")
    (tmp_path / "folder").mkdir()
    run(filled, "backup", tmp_path / "without.tar")
    back_up(filled, tmp_path / "with.tar")
    for number, command in enumerate(commands("en")):
        assert command.startswith("flask --app wsgi "), command
        wanted, _, given = command.removeprefix("flask --app wsgi ").partition(" < ")
        name = "new.tar" if wanted.startswith("backup") else "with.tar" if given else "without.tar"
        put = {"FILE": str(tmp_path / name), "FOLDER": str(tmp_path / "folder")}
        arguments = [put.get(word, word) for word in shlex.split(wanted)]
        folder = tmp_path / f"installation{number}"
        folder.mkdir()
        (folder / "password_key").write_bytes((tmp_path / "password_key").read_bytes())
        (folder / "password_key").chmod(0o600)
        with another(filled, folder) as other:
            app = filled if wanted.startswith(("backup", "restore --photos")) else other
            # Whoever is asked types the passphrase twice.
            done = run(app, *arguments, given=f"{PASSPHRASE}\n{PASSPHRASE}\n")
        assert (done.exit_code, done.stderr) == (0, ""), (command, done.output)
