"""The image and the compose file, as far as they can be looked at without building them."""

import json
import re
import subprocess
import sys
from pathlib import Path

from hikflask.config import SETTINGS
from tests.test_systemd_units import GUNICORN

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent
CONTAINERFILE, COMPOSE = ROOT / "deploy/Containerfile", ROOT / "deploy/compose.yaml"


def said(*command: str | Path) -> str:
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_linter_finds_nothing_in_the_containerfile() -> None:
    found = said(BIN / "hadolint", "--format", "json", "--failure-threshold", "style", CONTAINERFILE)

    assert json.loads(found) == []


def test_compose_file_fits_its_schema() -> None:
    said(BIN / "check-jsonschema", "--builtin-schema", "vendor.compose-spec", COMPOSE)


def test_every_setting_that_they_give_is_one() -> None:
    known = {f"HIKFLASK_{name}" for name in SETTINGS} | GUNICORN | {"HIKFLASK_INSTANCE_PATH"}
    text = CONTAINERFILE.read_text() + COMPOSE.read_text()

    # HIKFLASK_NAME is the compose file's own.
    assert set(re.findall(r"\bHIKFLASK_\w+", text)) <= known | {"HIKFLASK_NAME"}


def test_what_the_image_copies_is_there() -> None:
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", CONTAINERFILE.read_text(), re.MULTILINE)

    assert [path for words in copied for path in words.split() if not (ROOT / path).exists()] == []
    assert {"pyproject.toml", "hikflask", "migrations", "deploy"} <= {
        path for words in copied for path in words.split()
    }
