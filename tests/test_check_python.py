"""What somebody reads whose Python is missing, too old, or without venv (deploy/check-python.sh)."""

import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[1] / "deploy/check-python.sh"
TOO_OLD = '#!/bin/sh\n[ "$1" = --version ] && echo Python 3.9.2\n[ "$1" = --version ]\n'
WITHOUT_VENV = '#!/bin/sh\ncase "$2" in *ensurepip*) echo Traceback >&2; exit 1 ;; esac\n'


@pytest.mark.parametrize(
    ("python", "sentence"),
    [
        (None, "python3 is not installed. On Debian: apt-get install python3-venv"),
        (TOO_OLD, "Python 3.9.2 is too old: hikflask needs Python 3.11 or newer. If there is one: "
                  "make run PYTHON=python3.13"),
        (WITHOUT_VENV, "python3 cannot make a virtual environment. On Debian: apt-get install python3-venv"),
        ("#!/bin/sh\n", ""),
    ],
    ids=["missing", "too old", "without venv", "good"],
)  # fmt: skip
def test_what_is_missing_is_said_in_a_sentence(tmp_path: Path, python: str | None, sentence: str) -> None:
    if python:
        (tmp_path / "python3").write_text(python)
        (tmp_path / "python3").chmod(0o755)
    done = subprocess.run(
        ["/bin/sh", SCRIPT, "python3"], env={"PATH": str(tmp_path)}, capture_output=True, text=True, check=False
    )

    assert (done.stdout, done.stderr.strip(), done.returncode) == ("", sentence, 1 if sentence else 0)
