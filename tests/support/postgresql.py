"""A PostgreSQL server for the tests, with a data folder of its own, under an account of its own when run as root."""

import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import psycopg

from tests.processes.processes import free_port

ACCOUNT = "postgres"
# What the app signs in as may do no more than make databases.
ROLE = "hikflask"
TRUNCATED_EACH = 50
# Tables of more bytes are vacuumed: what few rows leave behind is in nobody's way.
MAX_DEAD = 32 * 1024
WRITTEN = """
    SELECT relname, pg_relation_size(oid) > %s FROM pg_class
    WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND relname <> 'alembic_version'
    AND pg_relation_size(oid) > 0
"""
LAST_VALUES = "SELECT sequencename, last_value FROM pg_sequences WHERE last_value IS NOT NULL"
RESTART_IDENTITY = "SELECT setval(sequencename::regclass, 1, false) FROM pg_sequences WHERE last_value IS NOT NULL"


def programs() -> Path | None:
    """Return the newest installed server's bin folder, or None."""
    folders = sorted(
        Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name.partition(".")[0])
    )
    found = [folder for folder in folders if (folder / "initdb").exists()]
    on_path = shutil.which("initdb")
    return found[-1] if found else Path(on_path).parent if on_path else None


@dataclass(frozen=True)
class Rows:
    """All rows of a database, as COPY writes them, and the last values of its sequences."""

    by_table: dict[str, bytes]
    last_values: dict[str, int]


class Cluster:
    """A running server on loopback; databases are made from a template."""

    def __init__(self, bin_folder: Path) -> None:
        self._bin = bin_folder
        self._folder = Path(tempfile.mkdtemp(prefix="hikflask-postgresql-"))
        self._as = ["runuser", "-u", ACCOUNT, "--"] if os.geteuid() == 0 else []
        if self._as:
            shutil.chown(self._folder, ACCOUNT)
        self.port = free_port()
        self._emptied = 0
        self._own: dict[str, psycopg.Connection] = {}

    def start(self) -> None:
        """Make the data folder and start the server."""
        data = self._folder / "data"
        self._run("initdb", "--auth=trust", f"--username={ACCOUNT}", "--encoding=UTF8", "--locale=C", "-D", str(data))
        # Nothing runs that a test did not start: a worker of the server's own may be in anybody's way for a moment.
        # Nothing is kept for a loss of power.
        settings = "-c listen_addresses=127.0.0.1 -c autovacuum=off -c fsync=off -c synchronous_commit=off -c jit=off"
        settings += " -c full_page_writes=off -c wal_level=minimal -c max_wal_senders=0"
        options = f"-p {self.port} -k {self._folder} {settings}"
        self._run("pg_ctl", "-D", str(data), "-l", str(self._folder / "log"), "-o", options, "-w", "start")
        self._tell(f"CREATE ROLE {ROLE} LOGIN CREATEDB", role=ACCOUNT)

    def program(self, name: str) -> str:
        """Return the path of one of PostgreSQL's programs, of the server's version."""
        return str(self._bin / name)

    def stop(self) -> None:
        """Stop the server and remove its folder."""
        for connection in self._own.values():
            connection.close()
        self._run("pg_ctl", "-D", str(self._folder / "data"), "-m", "immediate", "-w", "stop")
        shutil.rmtree(self._folder)

    def create(self, name: str, template: str = "template1") -> str:
        """Make a database and return its address."""
        self._tell(f"CREATE DATABASE {name} TEMPLATE {template}")
        return self.address(name)

    def address(self, name: str) -> str:
        """Return the address of a database."""
        return f"postgresql://{ROLE}@127.0.0.1:{self.port}/{name}"

    def empty(self, name: str) -> None:
        """Disconnect everybody from a migrated database and remove its rows, as quickly as that can be done."""
        connection = self._own_connection(name)
        connection.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{ROLE}'")
        self._emptied += 1
        # TRUNCATE makes new files for each table and index. After VACUUM the tables are empty, too.
        if self._emptied % TRUNCATED_EACH == 0:
            tables = _tables(connection)
            connection.execute(f"TRUNCATE {', '.join(tables)} RESTART IDENTITY")
            return
        written = connection.execute(WRITTEN, (MAX_DEAD,)).fetchall()
        deletions = [f"DELETE FROM {table}" for table, _ in written]
        connection.execute("; ".join([*deletions, RESTART_IDENTITY]))
        for table in (table for table, is_large in written if is_large):
            connection.execute(f"VACUUM {table}")

    def rows(self, name: str) -> Rows:
        """Return the rows of a database by their tables, and the last values of its sequences."""
        with self.connection(ACCOUNT, name) as connection:
            written = connection.execute(WRITTEN, (MAX_DEAD,)).fetchall()
            copied = {table: _copied(connection, table) for table, _ in written}
            rows = {table: content for table, content in copied.items() if content}
            return Rows(rows, dict(connection.execute(LAST_VALUES).fetchall()))

    def fill(self, name: str, rows: Rows) -> None:
        """Empty a database, and fill it with rows that were there before."""
        self.empty(name)
        connection = self._own_connection(name)
        for table, copied in rows.by_table.items():
            with connection.cursor().copy(f"COPY {table} FROM STDIN") as copy:
                copy.write(copied)
        for sequence, value in rows.last_values.items():
            connection.execute("SELECT setval(%s::regclass, %s)", (sequence, value))

    def drop(self, name: str) -> None:
        """Remove a database, as the superuser: a connection of that one may still be ending."""
        self._tell(f"DROP DATABASE {name} WITH (FORCE)", role=ACCOUNT)

    def files(self) -> Path:
        """Return the server's folder, once all that it has in memory is written there."""
        self._tell("CHECKPOINT", role=ACCOUNT)
        return self._folder

    def connection(self, role: str, name: str) -> psycopg.Connection:
        """Return a connection of an account; those of ACCOUNT see who waits, and stay when a database is emptied."""
        return psycopg.connect(f"postgresql://{role}@127.0.0.1:{self.port}/{name}", autocommit=True)

    def _own_connection(self, name: str) -> psycopg.Connection:
        """Return the connection that empties a database; it stays open, since it knows all tables by then."""
        if name not in self._own:
            self._own[name] = self.connection(ACCOUNT, name)
            # No trigger runs: one keeps the audit trail from being emptied.
            self._own[name].execute("SET session_replication_role = replica")
        return self._own[name]

    def _tell(self, statement: str, role: str = ROLE) -> None:
        with self.connection(role, "postgres") as connection:
            connection.execute(statement)

    def _run(self, program: str, *arguments: str) -> None:
        command = [*self._as, str(self._bin / program), *arguments]
        # The server keeps inherited pipes open, so its output goes to its log file instead.
        quiet = subprocess.DEVNULL
        subprocess.run(command, check=True, stdin=quiet, stdout=quiet, stderr=quiet, cwd="/", timeout=60)


def _tables(connection: psycopg.Connection) -> list[str]:
    found = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
    return [table for (table,) in found if table != "alembic_version"]


def _copied(connection: psycopg.Connection, table: str) -> bytes:
    with connection.cursor().copy(f"COPY {table} TO STDOUT") as copy:
        return b"".join(copy)
