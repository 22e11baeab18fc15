"""The image and the compose file, without building them; tests/installation/test_image.py does."""

import json
import re
import subprocess
import sys
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

import yaml

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


def test_fixed_addresses_are_given_to_nobody_else_and_are_those_that_are_believed_and_asked() -> None:
    compose = yaml.safe_load(COMPOSE.read_text())
    (network,) = compose["networks"]["inside"]["ipam"]["config"]
    app, nginx = (compose["services"][name] for name in ("app", "nginx"))
    its, proxys = (service["networks"]["inside"]["ipv4_address"] for service in (app, nginx))

    assert its != proxys
    for address in (its, proxys):
        assert ip_address(address) in ip_network(network["subnet"])
        assert ip_address(address) not in ip_network(network["ip_range"])
    assert app["environment"]["HIKFLASK_TRUSTED_PROXY"] == proxys
    assert site_in(compose).count(f"server {its}:8000;") == 1


def test_site_in_a_container_has_its_name_and_logs_to_the_output() -> None:
    site = site_in(yaml.safe_load(COMPOSE.read_text()))

    assert "hikflask.example" not in site
    assert "server_name pages.example;" in site
    assert set(re.findall(r"(?:access|error)_log (\S+?)[ ;]", site)) == {"/dev/stdout", "/dev/stderr", "off"}
    assert "unix:" not in site


def site_in(compose: dict[str, Any]) -> str:
    """What nginx's container makes of the shipped site, by the command of the compose file."""
    *_, command = compose["services"]["nginx"]["command"]
    making, *_ = command.replace("$$", "$").replace("/shipped/", f"{ROOT}/deploy/").partition(" > ")
    return said("env", "HIKFLASK_NAME=pages.example", "sh", "-c", making)
