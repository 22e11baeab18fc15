"""The commands of the guide that send backups to another machine, to an SSH server on loopback."""

import getpass
import grp
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.processes.processes import ROOT, free_port, until

SSHD = "/usr/sbin/sshd"
USER, GROUP = getpass.getuser(), grp.getgrgid(os.getgid()).gr_name
BLOCK = re.compile(r"^ *```(\w+)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
CONFIGURATION = """
ListenAddress 127.0.0.1
Port {port}
HostKey {folder}/host
AuthorizedKeysFile {folder}/authorized_keys
PasswordAuthentication no
PidFile none
# The folders of the tests are everybody's.
StrictModes no
"""
CLIENT = """
Host backup.example
    HostName 127.0.0.1
    Port {port}
    User {user}
    UserKnownHostsFile {folder}/known_hosts
    BatchMode yes
    IdentityFile {folder}/own
"""


@dataclass(frozen=True)
class Machines:
    """This machine, and the other one behind its SSH server: folders of the test stand for theirs."""

    folder: Path

    @property
    def backups(self) -> Path:
        """Where the backups are made."""
        return self.folder / "backups"

    @property
    def copies(self) -> Path:
        """Where they are copied to."""
        return self.folder / "copies"

    def run(self, command: str, status: int = 0) -> str:
        """Run a command of the guide, with these folders, and with where the other machine is."""
        here = re.sub(r"\w+@backup\.example", "backup.example", command).replace("hikflask:hikflask", f"{USER}:{GROUP}")
        here = here.replace("ssh -i", f"ssh -F {self.folder}/client -i").replace("/root/.ssh", str(self.folder))
        here = here.replace("/var/lib/hikflask-backups", str(self.backups)).replace("/srv/hikflask", str(self.copies))
        variables = {**os.environ, "RSYNC_RSH": f"ssh -F {self.folder}/client"}
        done = subprocess.run(
            ["sh", "-c", here], capture_output=True, text=True, check=False, timeout=30, env=variables
        )
        assert done.returncode == status, done.stderr
        return done.stdout + done.stderr


def of_guide(language: str) -> dict[str, list[str]]:
    """The blocks that name what is in them: `sh`, `text` and `ini`."""
    guide = (ROOT / "docs" / language / "backup.md").read_text(encoding="utf-8")
    found: dict[str, list[str]] = {}
    for kind, block in BLOCK.findall(guide):
        found.setdefault(kind, []).append("\n".join(line.strip() for line in block.splitlines()))
    return found


MAKE_KEY, SEND, LET_GO, BRING_BACK = of_guide("en")["sh"]


@pytest.fixture
def machines(tmp_path: Path) -> Iterator[Machines]:
    """An SSH server that knows the key of the guide by the line of the guide; skips where there is none."""
    if missing := [program for program in (SSHD, "rsync", "rrsync", "ssh") if shutil.which(program) is None]:
        assert not os.environ.get("CI"), "openssh-server and rsync must be installed in CI"
        pytest.skip(f"not installed: {', '.join(missing)}")
    made, port = Machines(tmp_path), free_port()
    made.backups.mkdir()
    made.copies.mkdir()
    made.run(MAKE_KEY)
    (line,) = of_guide("en")["text"]
    allowed = line.partition(" ssh-ed25519")[0].replace("/srv/hikflask", str(made.copies))
    for name in ("host", "own"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / name)], check=True)
    keys = f"{allowed} {(tmp_path / 'hikflask-copies.pub').read_text()}{(tmp_path / 'own.pub').read_text()}"
    (tmp_path / "authorized_keys").write_text(keys)
    host = " ".join((tmp_path / "host.pub").read_text().split()[:2])
    (tmp_path / "known_hosts").write_text(f"[127.0.0.1]:{port} {host}\n")
    (tmp_path / "sshd").write_text(CONFIGURATION.format(port=port, folder=tmp_path))
    (tmp_path / "client").write_text(CLIENT.format(port=port, folder=tmp_path, user=USER))
    if os.geteuid() == 0:
        # Debian makes it when its own server starts.
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    log = tmp_path / "log"
    server = subprocess.Popen([SSHD, "-D", "-f", str(tmp_path / "sshd"), "-E", str(log)])
    until(lambda: log.exists() and "Server listening" in log.read_text())
    yield made
    server.terminate()
    server.wait()


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_backups_reach_the_other_machine_and_their_key_neither_reads_nor_deletes_nor_replaces(
    machines: Machines,
) -> None:
    first = machines.backups / "hikflask-20260101-020000.tar"
    first.write_bytes(b"names and faces")
    os.utime(first, (1_000_000_000, 1_000_000_000))
    first.with_name("hikflask-20260102-020000.tar").write_bytes(b"more")
    first.with_name(".hikflask.part").write_bytes(b"half of one")
    all_of_them = ["hikflask-20260101-020000.tar", "hikflask-20260102-020000.tar"]

    machines.run(SEND)

    assert names(machines.copies) == all_of_them
    assert (machines.copies / first.name).read_bytes() == b"names and faces"
    first.write_bytes(b"spoilt by whoever broke in")
    machines.run(SEND.replace("--ignore-existing ", ""))
    assert (machines.copies / first.name).read_bytes() == b"names and faces"
    first.unlink()
    assert "--delete" in machines.run(SEND.replace("--archive", "--archive --delete"), status=12)
    rsync, _, rest = SEND.rpartition(" /var/lib/hikflask-backups/ ")
    assert "write-only" in machines.run(f"{rsync} {rest} /var/lib/hikflask-backups/", status=12)
    ssh = re.search(r"-e '(.*)'", SEND)
    assert ssh is not None
    assert "Not invoked via sshd" in machines.run(f"{ssh[1]} copies@backup.example", status=1)
    assert names(machines.copies) == all_of_them

    machines.run(BRING_BACK.replace("FILE", first.name))
    assert first.read_bytes() == b"names and faces"

    machines.run(LET_GO)

    assert names(machines.copies) == all_of_them[1:]


def test_command_of_each_night_is_the_same_and_systemd_takes_it(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        assert not os.environ.get("CI"), "systemd must be installed in CI"
        pytest.skip("systemd-analyze is not installed")
    assert of_guide("en") == of_guide("ru")
    (added,) = of_guide("en")["ini"]
    unit = tmp_path / "hikflask-backup.service"
    unit.write_text(f"{added}\nType=oneshot\nExecStart={shutil.which('true')}\n")

    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(unit)], capture_output=True, text=True, check=False, timeout=60
    )

    assert (done.returncode, done.stdout + done.stderr) == (0, "")
    assert added.splitlines() == ["[Service]", f"ExecStartPost=+/usr/bin/{SEND}"]
