"""A throw-away root: this machine's own files with another layer above them, which goes with the processes in it.

Only systemd is not there as init, so another program stands for `systemctl` (tests/installation/systemctl.py).
"""

import os
import re
import shutil
import signal
import subprocess
from pathlib import Path

from tests.processes.processes import ROOT, until

LOCKS = ("requirements.txt", "requirements-app.txt", "requirements-build.txt", "requirements-faces.txt")
SHIPPED = ("hikflask", "migrations", "deploy", "wsgi.py", "pyproject.toml", "README.md", "LICENSE", *LOCKS)
STAND_IN = Path(__file__).with_name("systemctl.py")
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
# What pip needs to reach a package index from where the tests run.
OF_PIP = re.compile(r"PIP_|SSL_CERT|REQUESTS_CA|(HTTPS?|NO)_PROXY\Z", re.IGNORECASE)
MOUNTS = """
set -eu
mount -t tmpfs -o size=8g tmpfs {folder}
mkdir {folder}/upper {folder}/work {folder}/root
mount -t overlay overlay -o lowerdir=/,upperdir={folder}/upper,workdir={folder}/work {folder}/root
mount -t proc proc {folder}/root/proc
mount --rbind /dev {folder}/root/dev
mount -t tmpfs tmpfs {folder}/root/run
mount -t tmpfs tmpfs {folder}/root/tmp
mkdir -p {folder}/root/run/systemd/system {folder}/root/root/.cache/pip
mount --bind {downloaded} {folder}/root/root/.cache/pip
touch {folder}/root/run/is-mounted
exec sleep infinity
"""
# A version's packages are those of the version before, and to install them takes longest.
COPIES = """#!/bin/sh
set -eu
from=$(ls -d /opt/hikflask/versions/*/complete 2>/dev/null | head -n 1)
if [ "$1 $2 ${from:+known}" != "-m venv known" ]; then
    exec /usr/bin/python3 "$@"
fi
from=${from%/complete}
cp -a "$from" "$3"
rm -f "$3/complete" "$3/worked"
ln -sfn /usr/bin/python3 "$3/bin/python3"
find "$3/bin" "$3/pyvenv.cfg" -type f -exec sed -i "s,$from,$3,g" '{}' +
"""


class ThrowAwayRoot:
    """The root and all processes in it, from start() to stop()."""

    def __init__(self, folder: Path, downloaded: Path) -> None:
        self._folder = folder
        self._downloaded = downloaded

    def start(self) -> None:
        """Mount it. :raises OSError: with the reason, where this machine does not let root do so."""
        command = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "bash", "-c"]
        mounts = MOUNTS.format(folder=self._folder, downloaded=self._downloaded)
        self._holder = subprocess.Popen([*command, mounts], stderr=subprocess.PIPE, text=True)
        until(lambda: self._holder.poll() is not None or self._is_mounted())
        if self._holder.poll() is not None:
            assert self._holder.stderr is not None
            raise OSError(self._holder.stderr.read())
        self.put(STAND_IN, "usr/bin/systemctl")
        self.path("usr/bin/systemctl").chmod(0o755)
        self.put_command("python3", COPIES)

    def stop(self) -> None:
        """End every process in it; its files go with the last one."""
        self._holder.send_signal(signal.SIGKILL)
        self._holder.communicate()

    def path(self, name: str) -> Path:
        """Return where a file of the root is seen from outside."""
        return Path(f"/proc/{self._inside()}/root{self._folder}/root/{name}")

    def put(self, source: Path, name: str) -> None:
        """Copy a file or folder into the root."""
        target = self.path(name)
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, target)

    def put_command(self, name: str, text: str) -> Path:
        """Put a program of ours before one of the system, and return where it is seen from outside."""
        command = self.path(f"usr/local/bin/{name}")
        command.write_text(text)
        command.chmod(0o755)
        return command

    def put_program(self, name: str, version: str) -> Path:
        """Copy what an administrator unpacks, as this version, and return where it is seen from outside."""
        for shipped in SHIPPED:
            self.put(ROOT / shipped, f"root/{name}/{shipped}")
        folder = self.path(f"root/{name}")
        (folder / "hikflask/version.py").write_text(f'"""The version."""\n\nVERSION = "{version}"\n')
        return folder

    def start_command(self, *words: str, **environment: str) -> "subprocess.Popen[str]":
        """Start a command as root; nothing else of our environment is there."""
        variables = {name: value for name, value in os.environ.items() if OF_PIP.match(name)} | environment
        given = [f"{name}={value}" for name, value in {"PATH": PATH, "HOME": "/root", **variables}.items()]
        inside = ["nsenter", f"--target={self._inside()}", "--mount", "--pid", "--"]
        chroot = ["chroot", f"{self._folder}/root", "env", "-i", *given, *words]
        return subprocess.Popen(
            [*inside, *chroot], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )

    def run(self, *words: str, stdin: str = "", status: int = 0, **environment: str) -> str:
        """Run a command and return what it said; fail when its status is another."""
        started = self.start_command(*words, **environment)
        said, _ = started.communicate(stdin, timeout=300)
        assert started.returncode == status, f"{words}: {started.returncode}\n{said}\n{self.journal()}"
        return said

    def journal(self) -> str:
        """Return what the services said."""
        return "".join(path.read_text() for path in sorted(self.path("var/log").glob("*.journal")))

    def _inside(self) -> int:
        children = Path(f"/proc/{self._holder.pid}/task/{self._holder.pid}/children").read_text().split()
        return int(children[0]) if children else 0

    def _is_mounted(self) -> bool:
        return bool(self._inside()) and self.path("run/is-mounted").exists()
