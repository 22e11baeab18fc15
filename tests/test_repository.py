"""What other programs read of this folder: workflows, hooks of git, editors, Renovate."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent
VENDOR = ROOT / "hikflask/static/vendor"
HOOKS = ROOT / ".pre-commit-config.yaml"
WORKFLOWS = [ROOT / ".github/workflows/tests.yml", ROOT / ".forgejo/workflows/tests.yml"]
# As `make coverage` prints it.
COVERAGE = re.compile(r"\bCoverage by branch: [1-9]\d % \(\d+\.\d+\.\d+, \d{4}-\d\d-\d\d\)\.")
TEXTS = {".css", ".html", ".js", ".json", ".md", ".py", ".sh", ".toml", ".yaml", ".yml"}
# What came from others, and the site that is built.
OF_OTHERS = {"vendor", "recordings", "recorded", "help"}
PINNED = re.compile(r"^      - uses: \S+@[0-9a-f]{40} # v\d+\.\d+\.\d+$", re.MULTILINE)
CHECK = re.compile(r"^check:.*\n((?:\t.+\n)+)", re.MULTILINE)


def said(program: str, *arguments: str | Path) -> None:
    command = [str(word) for word in (BIN / program, *arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


def steps(workflow: Path) -> list[dict[str, Any]]:
    (job,) = yaml.safe_load(workflow.read_text(encoding="utf-8"))["jobs"].values()
    found: list[dict[str, Any]] = job["steps"]
    return found


def test_workflows_fit_their_schema() -> None:
    said("check-jsonschema", "--builtin-schema", "vendor.github-workflows", *WORKFLOWS)


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.parts[-3])
def test_workflow_does_what_ci_does_and_names_its_actions_exactly(workflow: Path) -> None:
    fetch, checkout, run = steps(workflow)

    assert fetch["run"].startswith("apt-get update ")
    assert len(PINNED.findall(workflow.read_text(encoding="utf-8"))) == 1
    # The token of the checkout is not left for what is tested.
    assert checkout == {"uses": checkout["uses"], "with": {"persist-credentials": False}}
    assert run == {"run": ".ci/run"}


def test_renovate_configuration_fits_its_schema() -> None:
    said("check-jsonschema", "--builtin-schema", "vendor.renovate", ROOT / "renovate.json")


def test_renovate_finds_the_version_of_each_file_that_others_made() -> None:
    managers = json.loads((ROOT / "renovate.json").read_text(encoding="utf-8"))["customManagers"]
    patterns = [pattern.replace("(?<", "(?P<") for one in managers for pattern in one["matchStrings"]]
    templates = [path.read_text(encoding="utf-8") for path in (ROOT / "hikflask/templates").rglob("*.html")]
    found = {f"{match[1]}-{match[2]}" for one in patterns for text in templates for match in re.finditer(one, text)}

    assert found == {path.stem for path in VENDOR.iterdir()}


def test_hooks_of_git_are_what_make_check_runs() -> None:
    said("pre-commit", "validate-config", HOOKS)
    checked = CHECK.search((ROOT / "Makefile").read_text(encoding="utf-8"))
    assert checked
    commands = [line.strip().replace("$(BIN)", ".venv/bin") for line in checked[1].splitlines()]
    (local,) = yaml.safe_load(HOOKS.read_text(encoding="utf-8"))["repos"]

    assert [hook["entry"] for hook in local["hooks"]] == commands
    assert [hook for hook in local["hooks"] if hook.get("pass_filenames", True)] == []


def test_files_are_as_editors_are_told_to_write_them() -> None:
    folders = (ROOT / name for name in ("deploy", "docs", "hikflask", "migrations", "tests"))
    files = [path for folder in folders for path in folder.rglob("*") if path.suffix in TEXTS]
    wrong = {
        str(path.relative_to(ROOT)): line
        for path in [*files, *ROOT.glob("*.*")]
        if path.suffix in TEXTS and not OF_OTHERS.intersection(path.parts)
        for line in path.read_bytes().decode("utf-8").splitlines(keepends=True)
        if not line.endswith("\n") or line.endswith((" \n", "\t\n", "\r\n")) or line.startswith("\t")
    }

    assert wrong == {}


def test_readme_says_how_much_of_the_program_the_tests_run_and_of_which_version_that_is() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")

    assert len(COVERAGE.findall(readme)) == 1
    assert len(readme.splitlines()) <= 60
