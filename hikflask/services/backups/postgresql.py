"""The part of a backup that is a PostgreSQL database: its own programs dump and restore it.

They must be of the server's version, and never get the password as an argument, which everybody could read.
"""

import os
import re
import shutil
import subprocess
from pathlib import Path

from sqlalchemy import URL, Connection, func, select

from hikflask import disk_space
from hikflask.services.backups import BackupError

# Where Debian has the programs of each version.
DEBIAN = "/usr/lib/postgresql/{}/bin"
# The queue keeps its own tables in the database.
QUEUE = "huey_*"
# The key of the lock of a transaction that restores: it may outlive the process that has started it.
LOCK = 0x68696B66
# The tables of another version may have columns that a dump has not. They are all ours (see restore.py).
EMPTY = """DO $$ DECLARE item record; BEGIN
FOR item IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename NOT LIKE 'huey\\_%' LOOP
    EXECUTE format('DROP TABLE public.%I CASCADE', item.tablename);
END LOOP;
FOR item IN SELECT oid::regprocedure AS called FROM pg_proc
    WHERE pronamespace = 'public'::regnamespace AND proowner = current_user::regrole
    AND NOT EXISTS (SELECT 1 FROM pg_depend WHERE objid = pg_proc.oid AND deptype = 'e') LOOP
    EXECUTE format('DROP FUNCTION %s', item.called);
END LOOP;
END $$"""
SECRET = ("password", "sslpassword")
WITHOUT_OWNERS = ("--no-owner", "--no-privileges")


def check(source: Connection) -> None:
    """Make sure that a backup can be made. :raises BackupError: when pg_dump is missing, or older than the server."""
    major = _major(source)
    done = subprocess.run([_path("pg_dump", major), "--version"], check=False, capture_output=True)  # noqa: S603
    version = re.search(rb"\d+", done.stdout)
    if version is None or int(version[0]) < major:
        raise BackupError(f"pg_dump is older than the server: `apt-get install postgresql-client-{major}`.")


def dump(source: Connection, snapshot: str, target: Path) -> None:
    """Write what a transaction exported as its snapshot to a new file, in PostgreSQL's custom format.

    :raises BackupError: when pg_dump is missing or fails, as on a full disk.
    """
    os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    options = ["--format=custom", f"--snapshot={snapshot}", f"--exclude-table={QUEUE}", *WITHOUT_OWNERS]
    try:
        _run(source, "pg_dump", *options, f"--file={target}", f"--dbname={_address(source.engine.url)}")
    except BackupError as error:
        if full := disk_space.full(target.parent):
            raise BackupError(disk_space.describe(full)) from error
        raise


def script(target: Connection, dumped: Path, written: Path) -> None:
    """Write the SQL that restores a dump. :raises BackupError: when pg_restore is missing or fails."""
    _run(target, "pg_restore", *WITHOUT_OWNERS, f"--file={written}", str(dumped))


def run_script(target: Connection, script: Path) -> None:
    """Drop our empty tables, and run SQL that makes and fills them, in one transaction. :raises BackupError:"""
    options = ["--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--single-transaction"]
    first = (f"--command=SELECT pg_advisory_xact_lock({LOCK})", f"--command={EMPTY}")
    _run(target, "psql", *options, *first, f"--file={script}", f"--dbname={_address(target.engine.url)}")


def refuse_if_restoring(target: Connection) -> None:
    """Make sure that no restore goes on in the database, also one whose own process was killed.

    :raises BackupError: when one does.
    """
    if not target.execute(select(func.pg_try_advisory_xact_lock(LOCK))).scalar_one():
        raise BackupError("Another restore is running.")


def _run(connection: Connection, program: str, *arguments: str) -> None:
    url = connection.engine.url
    password = url.password or url.query.get("password")
    command = [_path(program, _major(connection)), *arguments]
    environment = {**os.environ, "PGPASSWORD": str(password)} if password else None
    nothing = subprocess.DEVNULL
    done = subprocess.run(  # noqa: S603 - the command is ours, and no shell reads it
        command, check=False, stdin=nothing, stdout=nothing, stderr=subprocess.PIPE, env=environment
    )
    if done.returncode != 0:
        # The first line says what is wrong; the others may quote rows.
        why = done.stderr.decode(errors="replace").strip().partition("\n")[0]
        raise BackupError(f"{program} failed: {why}")


def _major(connection: Connection) -> int:
    return int(connection.exec_driver_sql("SHOW server_version_num").scalar_one()) // 10000


def _path(program: str, major: int) -> str:
    """Return the path of a program of the server's version."""
    path = shutil.which(program, path=DEBIAN.format(major)) or shutil.which(program)
    if path is None:
        raise BackupError(f"{program} is not installed: `apt-get install postgresql-client-{major}`.")
    return path


def _address(url: URL) -> str:
    """Return the address for PostgreSQL's programs, without the password and the one of a certificate's key."""
    query = {name: value for name, value in url.query.items() if name not in SECRET}
    without = URL.create("postgresql", url.username, None, url.host, url.port, url.database, query)
    return without.render_as_string(hide_password=False)
