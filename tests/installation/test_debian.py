"""What docs/en/support.md calls tested, where this machine has another version of it: in a root of that Debian.

`DEBIAN=trixie` in the environment tries another one, as before a release (CONTRIBUTING.md).
"""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from hikflask.version import VERSION
from tests.installation.root import SHIPPED
from tests.processes.processes import ROOT
from tests.test_supported_versions import numbers_tested

# The oldest one; the newest is this machine's, or the image's.
SUITES = os.environ.get("DEBIAN", "bookworm").split()
PACKAGES = "python3,python3-venv,ca-certificates,nginx,openssl,postgresql"
# Programs' calls, all models of terminals, and the tables on SQLite and on this PostgreSQL.
TESTS = (
    "tests/api/test_sync.py tests/scenarios/test_every_terminal.py"
    " tests/test_migrations.py::test_rows_of_the_first_version_are_kept"
    " tests/test_migrations.py::test_way_back_leaves_no_table_and_back_and_forth_the_trail_is_append_only"
)
COMMANDS = f"""
cd /source
/usr/lib/postgresql/*/bin/postgres --version
cp deploy/nginx.conf /etc/nginx/sites-enabled/default
cp deploy/hikflask_* /etc/nginx/
openssl req -x509 -newkey rsa:2048 -nodes -days 9 -subj /CN=hikflask.example \
    -keyout /etc/ssl/private/hikflask.key -out /etc/ssl/certs/hikflask.pem
nginx -v
nginx -t
python3 -m venv /opt/hikflask
PATH=/opt/hikflask/bin:$PATH
python --version
python -c "import sqlite3; print('SQLite', sqlite3.sqlite_version)"
pip install --quiet --require-hashes -r requirements-app.txt
pip install --quiet --require-hashes --target /build -r requirements-build.txt
PYTHONPATH=/build pip wheel --quiet --no-deps --no-build-isolation --wheel-dir / .
pip install --quiet --require-hashes -r requirements.txt
python -m pytest -q -p no:cacheprovider {TESTS}
cd /
pip install --quiet hikflask-{VERSION}-py3-none-any.whl
export HIKFLASK_INSTANCE_PATH=/srv HIKFLASK_BIND=unix:/run/hikflask.sock
hikflask --version
hikflask init
hikflask serve &
hikflask ready --wait 60
kill $!
wait $! || true
"""


@pytest.mark.parametrize("suite", SUITES)
def test_program_runs_and_its_tests_pass_on_this_debian(suite: str, tmp_path: Path) -> None:
    if os.geteuid() != 0 or not shutil.which("mmdebstrap"):
        assert not os.environ.get("CI"), "CI is root and has mmdebstrap"
        pytest.skip("needs root and mmdebstrap")
    source = tmp_path / "source"
    for name in (*SHIPPED, "tests"):
        copy_to(source, ROOT / name)
    (source / "commands").write_text(COMMANDS)
    trusted = os.environ.get("PIP_CERT", "/etc/ssl/certs/ca-certificates.crt")
    hooks = [f"copy-in {source} /", f"upload {trusted} {trusted}", 'chroot "$1" bash -euxo pipefail /source/commands']
    options = ["--quiet", "--variant=minbase", f"--include={PACKAGES}", "--format=null"]
    # A mirror of a Debian that is still being made may be behind.
    options.append('--aptopt=Acquire::Check-Valid-Until "false"')
    options += [f"--customize-hook={hook}" for hook in hooks]
    # Such a folder is on this machine alone.
    variables = {name: value for name, value in os.environ.items() if name != "PIP_FIND_LINKS"}

    done = subprocess.run(
        ["mmdebstrap", *options, suite, "-"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        env=variables,
        timeout=1800,
    )

    assert done.returncode == 0, done.stdout[-4000:]
    assert f"hikflask {VERSION}\n" in done.stdout
    assert "The service is ready.\n" in done.stdout
    assert re.search(r"^\d+ passed", done.stdout, re.MULTILINE)
    (python,), (postgresql,), (nginx,), (sqlite,) = (
        re.findall(said, done.stdout, re.MULTILINE)
        for said in (r"^Python (3\.\d+)", r"^postgres \(PostgreSQL\) (\d+)", r"nginx/(1\.\d+)", r"^SQLite (3\.\d+)")
    )
    assert python in numbers_tested("Python")
    assert postgresql in numbers_tested("PostgreSQL")
    assert nginx in numbers_tested("nginx")
    assert sqlite in numbers_tested("SQLite")


def copy_to(folder: Path, path: Path) -> None:
    folder.mkdir(exist_ok=True)
    if path.is_dir():
        shutil.copytree(path, folder / path.name, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        shutil.copy(path, folder)
