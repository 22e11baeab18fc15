"""`database copy-to`: an installation goes from SQLite to PostgreSQL, or back, with every row, or not at all."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
from click.testing import Result
from flask import Flask
from flask_migrate import downgrade, upgrade
from sqlalchemy import func, insert, select, text, update

from hikflask import create_app, startup_checks
from hikflask.extensions import db
from hikflask.models import (
    AuditEntry,
    Department,
    Employee,
    EmployeeCount,
    Enrolment,
    Heartbeat,
    Job,
    JobItem,
    Terminal,
)
from hikflask.models.columns import database_now
from hikflask.models.job import DONE
from hikflask.services import audit
from hikflask.services.captures.drafts import Draft
from hikflask.services.employees import search
from hikflask.services.employees.filters import NO_FACE, EmployeeFilter
from hikflask.services.employees.lifecycle import delete_employee
from hikflask.services.employees.save import save_employee
from hikflask.services.privacy import consents
from hikflask.services.privacy.consents import Given
from hikflask.simulator import Terminal as Simulated
from tests.support.apps import close
from tests.support.enrolments import enrol
from tests.support.imports import checked
from tests.support.postgresql import Cluster
from tests.support.refusals import refusal

COPY = "copied"


@pytest.fixture
def url(cluster: Cluster) -> Iterator[str]:
    """The address of a database without tables."""
    yield cluster.create(COPY)
    cluster.drop(COPY)


@pytest.fixture
def target(cluster: Cluster, tmp_path: Path) -> Iterator[Flask]:
    """An app on a database with empty tables."""
    other = on(cluster.create(COPY, "migrated"), tmp_path)
    yield other
    close(other)
    cluster.drop(COPY)


@pytest.fixture
def filled(app: Flask, simulator: Simulated, terminal: Terminal) -> Flask:
    """An installation with a row of most kinds, and an id that was given and deleted."""
    with app.app_context():
        with audit.acting(audit.Actor("Анна")):
            enrol(simulator, terminal)
            olga = save_employee(Draft("100333", "Ольга Ёлкина", "Бухгалтерия")).row.id
            consents.record(olga, Given(datetime(2026, 1, 2, tzinfo=UTC).date(), note="папка «17»"))
            checked("100444;Пётр «Ёж» \\ ' \";Склад", "N 1;Без ID;Склад")
            gone = save_employee(Draft("100555", "Нет Меня")).row.id
            delete_employee(gone)
        db.session.execute(insert(Job).values(id=5, kind="send", params={"a": [1, None, "ё", True]}, state=DONE))
        db.session.execute(insert(JobItem).values(job_id=5, employee_id=olga, number="100333"))
        db.session.execute(
            update(Enrolment).values(name_on_old_device="nul \0 here", refusal=refusal("left_alone", reason="«Ёж»"))
        )
        db.session.commit()
        app.config["GONE"] = gone
    return app


def copy(app: Flask, url: str, *options: str, given: str = "") -> Result:
    return app.test_cli_runner().invoke(args=["database", "copy-to", url, *options], input=given)


def on(url: str, folder: Path) -> Flask:
    return create_app({"INSTANCE_PATH": str(folder), "TESTING": True, "WORKER": "external", "DATABASE_URL": url})


def address_of(app: Flask) -> str:
    return str(app.config["DATABASE_URL"])


def rows(app: Flask) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table, as the models read it."""
    with app.app_context():
        found = {
            table.name: sorted((tuple(row) for row in db.session.execute(select(table))), key=repr)
            for table in db.metadata.sorted_tables
        }
        db.session.remove()
    return found


def test_every_row_of_every_table_is_there_and_the_work_goes_on(filled: Flask, url: str, tmp_path: Path) -> None:
    before = rows(filled)
    done = copy(filled, url)
    assert (done.exit_code, done.stderr) == (0, "")
    other = on(url, tmp_path)
    after = rows(other)

    assert {name: len(found) for name, found in before.items() if found}.keys() >= {
        "audit", "consent", "department", "employee", "employee_count", "enrolment", "import_row", "job", "job_item",
        "photo", "terminal",
    }  # fmt: skip
    zero = {"enrolment"}
    assert {name: after[name] for name in after if name not in zero} == {
        name: before[name] for name in before if name not in zero
    }
    assert f"employee: {len(before['employee'])}\n" in done.stdout
    assert f"Copied and compared: {sum(map(len, before.values()))} rows in {len(before)} tables." in done.stdout
    with other.app_context():
        (enrolment,) = db.session.execute(select(Enrolment)).scalars()
        assert (enrolment.name_on_old_device, enrolment.is_confirmed) == ("nul \ufffd here", True)
        assert enrolment.refusal == refusal("left_alone", reason="«Ёж»")
        assert [one.name for one in search.search(EmployeeFilter(q="елкин"), 9, 0)[0]] == ["Ольга Ёлкина"]
        assert search.count(EmployeeFilter(state=NO_FACE)) == 1
        # Triggers work on, ids go on after those that were given, and nobody changes the audit trail.
        new = save_employee(Draft("100666", "Новый Человек")).row.id
        assert new > filled.config["GONE"]
        assert search.count(EmployeeFilter(state=NO_FACE)) == 2
        assert search.count(EmployeeFilter()) == db.session.execute(select(func.count(Employee.id))).scalar_one()
        with pytest.raises(Exception, match="append-only"):
            db.session.execute(text("UPDATE audit SET actor = ''"))
        db.session.rollback()
    close(other)


def test_way_back_to_sqlite_brings_every_row_and_the_work_goes_on(filled: Flask, url: str, tmp_path: Path) -> None:
    assert copy(filled, url).exit_code == 0
    other, file = on(url, tmp_path), tmp_path / "back.sqlite3"
    before = rows(other)

    done = copy(other, f"sqlite:///{file}")

    assert (done.exit_code, done.stderr) == (0, "")
    assert f"Copied and compared: {sum(map(len, before.values()))} rows in {len(before)} tables." in done.stdout
    assert f"Now set HIKFLASK_DATABASE_URL=sqlite:///{file} and start the service.\n" in done.stdout
    # Neither side's triggers and sequences are disturbed.
    assert rows(other) == before
    close(other)
    back = on(f"sqlite:///{file}", tmp_path)
    assert rows(back) == before
    with back.app_context():
        assert [one.name for one in search.search(EmployeeFilter(q="елкин"), 9, 0)[0]] == ["Ольга Ёлкина"]
        assert search.count(EmployeeFilter(state=NO_FACE)) == 1
        new = save_employee(Draft("100666", "Новый Человек")).row.id
        assert new > filled.config["GONE"]
        assert search.count(EmployeeFilter(state=NO_FACE)) == 2
        with pytest.raises(Exception, match="append-only"):
            db.session.execute(text("UPDATE audit SET actor = ''"))
        db.session.rollback()
    assert copy(back, f"sqlite:///{file}").exit_code == 1
    close(back)


def test_way_back_waits_for_nobody_who_writes_and_fills_no_database_that_has_rows(
    app: Flask, target: Flask, tmp_path: Path
) -> None:
    with app.app_context():
        db.session.add(Department(name="Чужой"))
        db.session.commit()
    address = address_of(target)
    with psycopg.connect(address) as writer:
        writer.execute("INSERT INTO department (name, folded) VALUES ('Склад', 'склад')")
        busy = copy(target, f"sqlite:///{tmp_path / 'back.sqlite3'}")

    full = copy(target, app.config["SQLALCHEMY_DATABASE_URI"])

    assert busy.stderr == "Error: Somebody writes to the installation: stop the service, and try again.\n"
    assert full.stderr == "Error: The target is not empty. Make a new database for it.\n"
    with app.app_context():
        assert db.session.execute(select(Department.name)).scalars().all() == ["Чужой"]


def test_from_postgresql_to_postgresql_its_own_programs_copy(target: Flask) -> None:
    assert copy(target, address_of(target)).stderr == (
        "Error: The target must be SQLite: an address like sqlite:////folder/file. Between two databases of PostgreSQL "
        "its own programs copy: pg_dump and pg_restore.\n"
    )


def test_target_that_has_rows_is_left_alone(app: Flask, target: Flask) -> None:
    with target.app_context():
        db.session.add(Department(name="Чужой"))
        db.session.commit()

    done = copy(app, address_of(target))

    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr == "Error: The target is not empty. Make a new database for it.\n"
    with target.app_context():
        assert db.session.execute(select(Department.name)).scalars().all() == ["Чужой"]


def test_empty_tables_of_this_version_are_filled(app: Flask, target: Flask) -> None:
    assert copy(app, address_of(target)).exit_code == 0
    assert rows(target) == rows(app)


def test_tables_of_another_program_are_left_alone(app: Flask, url: str, tmp_path: Path) -> None:
    other = on(url, tmp_path)
    with other.app_context():
        db.session.execute(text("CREATE TABLE theirs (id integer)"))
        db.session.commit()
    close(other)

    assert copy(app, url).stderr == "Error: The target is not empty. Make a new database for it.\n"


IN_USE = "Error: The installation is in use: stop the service and its workers, wait a minute, and try again.\n"


def test_installation_that_is_served_is_not_copied(app: Flask, url: str) -> None:
    with app.app_context():
        db.session.add(Heartbeat(worker="a:1", seen_at=database_now()))
        db.session.commit()

    assert copy(app, url).stderr == IN_USE


def test_installation_that_talks_to_a_terminal_is_not_copied(app: Flask, terminal: Terminal, url: str) -> None:
    with app.app_context():
        db.session.execute(update(Terminal).where(Terminal.id == terminal.id).values(lease_until=database_now(60)))
        db.session.commit()

    assert copy(app, url).stderr == IN_USE


def test_password_is_never_shown(app: Flask, cluster: Cluster, url: str) -> None:
    typed = {"given": "s3cret-Пароль\n"}

    given = copy(app, url, "--password-stdin", **typed)
    away = copy(app, url.replace(str(cluster.port), "1"), "--password-stdin", **typed)

    assert given.exit_code == 0
    assert "postgresql://hikflask:***@127.0.0.1" in given.stdout
    assert away.exit_code == 1
    assert away.stderr.startswith("Error: The target answers: ")
    assert not [one for one in (given, away) if "s3cret" in one.output]
    with app.app_context():
        assert "s3cret" not in repr(db.session.execute(select(AuditEntry.before, AuditEntry.after)).all())


@pytest.mark.parametrize("address", ["postgresql://hikflask:s3cret@127.0.0.1/x", "postgresql:///x?password=s3cret"])
def test_password_in_the_address_is_refused_since_everybody_sees_arguments(app: Flask, address: str) -> None:
    assert copy(app, address).output == (
        "Error: URL must have no password, since everybody on this machine can read it in the list of processes: leave "
        "it out, and give it to --password-stdin.\n"
    )


@pytest.mark.parametrize("address", ["sqlite:////tmp/other.sqlite3", "mysql://a@b/c"])
def test_target_must_be_postgresql(app: Flask, address: str) -> None:
    sentence = "Error: The target must be PostgreSQL: an address like postgresql://user@host/database.\n"
    assert copy(app, address).stderr == sentence


def test_what_is_no_address_is_said(app: Flask) -> None:
    assert copy(app, "somewhere").stderr == (
        "Error: URL must be an address like postgresql://user@host/database or sqlite:////folder/file.\n"
    )


def test_row_that_does_not_fit_names_its_table_and_nothing_is_copied(app: Flask, target: Flask) -> None:
    with app.app_context():
        save_employee(Draft("100222", "Иван Иванов"))
        db.session.execute(insert(Department).values(name="Д" * 129, folded="д"))
        db.session.commit()

    done = copy(app, address_of(target))

    assert done.exit_code == 1
    assert done.stderr.startswith("Error: The table department answers: value too long")
    assert not any(found for name, found in rows(target).items() if name != EmployeeCount.__tablename__)


def test_difference_names_its_table_and_nothing_is_copied(app: Flask, target: Flask) -> None:
    with target.app_context():
        db.session.execute(text("CREATE RULE spoil AS ON INSERT TO employee DO INSTEAD NOTHING"))
        db.session.commit()
    with app.app_context():
        save_employee(Draft("100222", "Иван Иванов"))

    done = copy(app, address_of(target))

    assert done.exit_code == 1
    assert done.stderr == "Error: The table employee differs: 1 rows here, 0 there. Nothing is copied.\n"
    assert rows(target)["employee"] == []


@pytest.mark.both_databases
def test_version_is_printed_of_tables_in_which_something_is_stored(app: Flask) -> None:
    """Of those of an older version, too: a program that makes a backup before an upgrade asks so."""
    assert version_of(app) == ""
    with app.app_context():
        save_employee(Draft("100222", "Иван Иванов"))
        db.session.remove()
    assert version_of(app) == f"{startup_checks.needed_version()}\n"
    with app.app_context():
        downgrade(revision="0001")
    assert version_of(app) == "0001\n"
    with app.app_context():
        upgrade()


def version_of(app: Flask) -> str:
    done = app.test_cli_runner().invoke(args=["database", "version"])
    assert (done.exit_code, done.stderr) == (0, "")
    return done.stdout


def test_version_without_a_database_makes_none_and_without_an_answer_is_an_error(
    tmp_path: Path, cluster: Cluster
) -> None:
    empty = create_app({"INSTANCE_PATH": str(tmp_path), "TESTING": True})
    assert version_of(empty) == ""
    assert not (tmp_path / "hikflask.sqlite3").exists()
    nowhere = on(cluster.create(COPY).replace(COPY, "nowhere"), tmp_path)

    done = nowhere.test_cli_runner().invoke(args=["database", "version"])

    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr.startswith("Error: The database does not answer: ")
    assert done.stderr.endswith('FATAL:  database "nowhere" does not exist\n')
    cluster.drop(COPY)
    close(empty)
    close(nowhere)
