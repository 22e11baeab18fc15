"""The image of deploy/Containerfile: built, and started as a container would be."""

import os
import resource
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from hikflask.version import VERSION
from tests.processes.processes import ROOT, free_port, until

CONTAINERFILE = ROOT / "deploy/Containerfile"
PROGRAMS = ("buildah", "mmdebstrap")
CERTIFICATES = "/etc/ssl/certs"
# For pip within the build, which finds them in the folder above.
TRUSTED = {"PIP_CERT", "SSL_CERT_FILE"}
# As the image that is built upon has it.
AS_PYTHON = "ln -s ../../bin/python3 $1/usr/local/bin/python"


class Builder:
    """buildah with images of its own, which needs neither a daemon nor a network of containers."""

    def __init__(self, folder: Path) -> None:
        self._store = ["--storage-driver", "vfs", "--root", str(folder / "store"), "--runroot", str(folder / "run")]
        # Without them it asks for more than this machine may give.
        self.limits = [
            f"--ulimit={name}={most}:{most}"
            for name, number in (("nofile", resource.RLIMIT_NOFILE), ("nproc", resource.RLIMIT_NPROC))
            if (most := resource.getrlimit(number)[1]) > 0
        ]

    def run(self, *words: str) -> str:
        """Run a command of buildah and return the last line that it said."""
        done = subprocess.run(
            ["buildah", *self._store, *words], capture_output=True, text=True, check=False, timeout=600
        )
        assert done.returncode == 0, f"{words}: {done.stdout[-2000:]}\n{done.stderr[-2000:]}"
        return done.stdout.rstrip().rpartition("\n")[2]

    def make_base(self, name: str, files: Path) -> None:
        """Make an image of these files, under the name of another one that cannot be had here."""
        container = self.run("from", "scratch")
        self.run("add", "--quiet", container, str(files), "/")
        self.run("commit", "--quiet", "--rm", container, name)

    def build(self, name: str) -> None:
        """Build the image as the guide says."""
        given = [f"--env={one}={os.environ[one]}" for one in sorted(TRUSTED & os.environ.keys())]
        here = ["--isolation=chroot", "--pull=never", "--network=host", f"--volume={CERTIFICATES}:{CERTIFICATES}:ro"]
        options = ["--format=docker", f"--file={CONTAINERFILE}", f"--tag={name}"]
        self.run("build", "--quiet", *options, *here, *self.limits, *given, str(ROOT))

    def command(self, container: str, *words: str) -> list[str]:
        """Return how a command is run in a container with the image's account, folder and settings."""
        return ["buildah", *self._store, "run", "--isolation=chroot", container, *words]


@pytest.fixture(scope="module")
def builder(tmp_path_factory: pytest.TempPathFactory) -> Builder:
    """A builder that has built the image; skips where there is none, save in CI."""
    if os.geteuid() != 0 or not all(map(shutil.which, PROGRAMS)):
        assert not os.environ.get("CI"), "CI is root and has what builds images"
        pytest.skip(f"needs root and {' and '.join(PROGRAMS)}")
    folder = tmp_path_factory.mktemp("image")
    files = folder / "debian.tar"
    packages = "--include=python3,python3-venv,ca-certificates"
    command = [
        "mmdebstrap",
        "--quiet",
        "--variant=minbase",
        packages,
        f"--customize-hook={AS_PYTHON}",
        "trixie",
        str(files),
    ]
    subprocess.run(command, check=True, timeout=300)
    made = Builder(folder)
    # Debian's own Python stands for the one of Docker's registry.
    base = CONTAINERFILE.read_text().partition("FROM ")[2].split()[0]
    made.make_base(base, files)
    made.build("hikflask")
    return made


class Container:
    """A container of the image, with the image's account, folder and settings."""

    def __init__(self, builder: Builder) -> None:
        self._builder = builder
        self._name = builder.run("from", "--pull=never", "--network=host", *builder.limits, "localhost/hikflask")
        self.root = Path(builder.run("mount", self._name))

    def start(self, script: str) -> "subprocess.Popen[bytes]":
        """Start a script of the shell. What it says is in the container's file /tmp/said."""
        words = ["sh", "-c", f"exec >/tmp/said 2>&1; {script}"]
        return subprocess.Popen(self._builder.command(self._name, *words), start_new_session=True)

    def said(self, script: str) -> str:
        """Run a script to its end, and return what it said."""
        status = self.start(script).wait(120)
        said = (self.root / "tmp/said").read_text()
        assert status == 0, said
        return said

    def remove(self) -> None:
        """Remove the container."""
        self._builder.run("rm", self._name)


@pytest.fixture
def container(builder: Builder) -> Iterator[Container]:
    made = Container(builder)
    yield made
    made.remove()


def test_image_serves_and_is_restored_as_the_guide_says(container: Container) -> None:
    about = container.said("hikflask --version; id -u; pg_dump --version").splitlines()
    assert about[:2] == [f"hikflask {VERSION}", "990"]
    assert about[2].startswith("pg_dump (PostgreSQL) 17.")

    port = free_port()
    serving = container.start(f"hikflask init && HIKFLASK_BIND=127.0.0.1:{port} exec hikflask serve")
    try:
        until(lambda: is_ready(port), 60)
        looked = container.said(f"HIKFLASK_BIND=127.0.0.1:{port} hikflask doctor --without-nginx || true")
        container.said("hikflask backup --into /var/lib/hikflask-backups")
    finally:
        os.killpg(serving.pid, signal.SIGTERM)
        serving.wait(30)
    (file,) = (container.root / "var/lib/hikflask-backups").glob("hikflask-*.tar")
    restored = container.said(
        f"hikflask restore --check /var/lib/hikflask-backups/{file.name} && rm /var/lib/hikflask/*.sqlite3* && "
        f"hikflask restore /var/lib/hikflask-backups/{file.name} && hikflask operator first-code"
    )

    assert "ok     The service answers and is ready.\n" in looked
    assert "The backup is whole. Nothing was changed.\n" in restored
    assert "give the code " in restored


def is_ready(port: int) -> bool:
    try:
        return requests.get(f"http://127.0.0.1:{port}/health/ready", timeout=5).ok
    except (requests.ConnectionError, requests.Timeout):
        return False
