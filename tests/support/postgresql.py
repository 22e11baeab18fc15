"""A PostgreSQL server for the tests, with a data folder of its own, under an account of its own when run as root."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from tests.processes.processes import free_port

ACCOUNT = "postgres"
# What the app signs in as may do no more than make databases.
ROLE = "hikflask"


def programs() -> Path | None:
    """Return the newest installed server's bin folder, or None."""
    folders = sorted(
        Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name.partition(".")[0])
    )
    found = [folder for folder in folders if (folder / "initdb").exists()]
    on_path = shutil.which("initdb")
    return found[-1] if found else Path(on_path).parent if on_path else None


class Cluster:
    """A running server on loopback; databases are made from a template."""

    def __init__(self, bin_folder: Path) -> None:
        self._bin = bin_folder
        self._folder = Path(tempfile.mkdtemp(prefix="hikflask-postgresql-"))
        self._as = ["runuser", "-u", ACCOUNT, "--"] if os.geteuid() == 0 else []
        if self._as:
            shutil.chown(self._folder, ACCOUNT)
        self.port = free_port()

    def start(self) -> None:
        """Make the data folder and start the server."""
        data = self._folder / "data"
        self._run("initdb", "--auth=trust", f"--username={ACCOUNT}", "--encoding=UTF8", "--locale=C", "-D", str(data))
        # Nothing runs that a test did not start: a worker of the server's own may be in anybody's way for a moment.
        settings = "-c listen_addresses=127.0.0.1 -c fsync=off -c autovacuum=off"
        options = f"-p {self.port} -k {self._folder} {settings}"
        self._run("pg_ctl", "-D", str(data), "-l", str(self._folder / "log"), "-o", options, "-w", "start")
        self._run("createuser", *self._here(ACCOUNT), "--createdb", ROLE)

    def stop(self) -> None:
        """Stop the server and remove its folder."""
        self._run("pg_ctl", "-D", str(self._folder / "data"), "-m", "immediate", "-w", "stop")
        shutil.rmtree(self._folder)

    def create(self, name: str, template: str = "template1") -> str:
        """Make a database and return its address."""
        self._run("createdb", *self._here(), "--template", template, name)
        return f"postgresql://{ROLE}@127.0.0.1:{self.port}/{name}"

    def drop(self, name: str) -> None:
        """Remove a database."""
        self._run("dropdb", *self._here(), "--force", name)

    def files(self) -> Path:
        """Return the server's folder, once all that it has in memory is written there."""
        self._run("psql", *self._here(ACCOUNT), "-c", "CHECKPOINT", "postgres")
        return self._folder

    def _here(self, role: str = ROLE) -> list[str]:
        return ["-h", "127.0.0.1", "-p", str(self.port), "-U", role]

    def _run(self, program: str, *arguments: str) -> None:
        command = [*self._as, str(self._bin / program), *arguments]
        # The server keeps inherited pipes open, so its output goes to its log file instead.
        quiet = subprocess.DEVNULL
        subprocess.run(command, check=True, stdin=quiet, stdout=quiet, stderr=quiet, cwd="/", timeout=60)
