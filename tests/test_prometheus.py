"""The alert rules, the jobs and the dashboard: each rule fires, each metric is there, and promtool takes ours."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from prometheus_client.parser import text_string_to_metric_families

from hikflask.metrics import exposition
from tests.support.desk import Desk

DEPLOY = Path(__file__).parents[1] / "deploy"
RULES = DEPLOY / "prometheus/hikflask.rules.yml"
JOBS = DEPLOY / "prometheus/prometheus.yml"
RULE_TESTS = DEPLOY / "prometheus/hikflask.rules.test.yml"
DASHBOARD = json.loads((DEPLOY / "grafana/hikflask.json").read_text(encoding="utf-8"))
NAME = re.compile(r"\b(?:hikflask_\w+|up)\b")
ALERT = re.compile(r"^ *- alert: (\w+)$", re.MULTILINE)
TESTED = re.compile(r"^ *alertname: (\w+)$\n *exp_alerts:(.*)$", re.MULTILINE)
# Prometheus adds this one: whether the service answered.
OF_PROMETHEUS = {"up"}


def promtool(*arguments: str, given: bytes | None = None) -> str:
    """Run promtool and return what it said; it must be content. Skips without it, save in CI."""
    program = shutil.which("promtool")
    if program is None:
        assert not os.environ.get("CI"), "prometheus must be installed in CI"
        pytest.skip("promtool is not installed")
    command = [program, *arguments]
    done = subprocess.run(command, input=given, capture_output=True, check=False, timeout=60, cwd=RULES.parent)
    said = (done.stdout + done.stderr).decode()
    assert done.returncode == 0, said
    return said


@pytest.fixture
def exposed(app: Flask, desk: Desk) -> str:
    """All metrics after an enrolment, while passages are kept."""
    desk.save()
    app.config["PASSAGES"] = "poll"
    with app.app_context():
        return exposition.text().decode()


def expressions() -> Iterator[str]:
    """What the rules and the dashboard ask for."""
    yield from re.findall(r"^ *expr: (\|\n(?: {10}.*\n)+|.+)$", RULES.read_text(encoding="utf-8"), re.MULTILINE)
    for panel in DASHBOARD["panels"]:
        yield from (target["expr"] for target in panel["targets"])
    yield from (one["query"] for one in DASHBOARD["templating"]["list"])


def test_rules_are_well_formed_and_each_is_quiet_and_fires_in_its_test() -> None:
    alerts = ALERT.findall(RULES.read_text(encoding="utf-8"))
    tested: dict[str, set[bool]] = {}
    for alert, expected in TESTED.findall(RULE_TESTS.read_text(encoding="utf-8")):
        tested.setdefault(alert, set()).add(expected.strip() != "[]")

    assert len(alerts) == len(set(alerts)) >= 10
    assert tested == {alert: {False, True} for alert in alerts}
    assert f"{len(alerts)} rules found" in promtool("check", "rules", str(RULES))
    assert "SUCCESS" in promtool("test", "rules", str(RULE_TESTS))


def test_example_of_jobs_is_taken_by_prometheus_and_has_each_that_the_rules_name() -> None:
    jobs = re.findall(r"^  - job_name: (\S+)$", JOBS.read_text(encoding="utf-8"), re.MULTILINE)

    assert "SUCCESS" in promtool("check", "config", str(JOBS))
    assert jobs == ["hikflask", "hikflask-worker", "hikflask-probe", "hikflask-machine"]
    assert set(re.findall(r'job="(.+?)"', RULES.read_text(encoding="utf-8"))) <= set(jobs)


def test_every_rule_says_what_is_wrong_in_both_languages() -> None:
    rules = re.split(r"^ *- alert: ", RULES.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]

    for rule in rules:
        assert re.search(r"^ *summary: .+\.\"?$", rule, re.MULTILINE), rule
        assert re.search(r"^ *summary_ru: .*[а-я].*\.?\"?$", rule, re.MULTILINE), rule
        assert re.search(r"^ *severity: (critical|warning)$", rule, re.MULTILINE), rule


def test_every_metric_of_rules_and_dashboard_is_there_and_in_the_guide(exposed: str) -> None:
    families = list(text_string_to_metric_families(exposed))
    there = {sample.name for family in families for sample in family.samples}

    asked = {name for expression in expressions() for name in NAME.findall(expression)}

    assert len(asked) > 15
    assert asked - there - OF_PROMETHEUS == set()
    # Nothing is told that no panel shows.
    shown = " ".join(target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"])
    assert [family.name for family in families if family.name not in shown] == []
    lines = [line.split() for line in exposed.splitlines() if line.startswith("# TYPE")]

    alerts = ALERT.findall(RULES.read_text(encoding="utf-8"))
    for language in ("en", "ru"):
        guide = (DEPLOY.parent / f"docs/{language}/monitoring.md").read_text(encoding="utf-8")
        assert [name for name in [line[2] for line in lines] + alerts if f"`{name}`" not in guide] == []
    assert promtool("check", "metrics", given=exposed.encode()) == ""


def test_dashboard_has_panels_of_their_own_places() -> None:
    panels: list[dict[str, Any]] = DASHBOARD["panels"]
    places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in panels]

    assert len(set(places)) == len({panel["id"] for panel in panels}) == len(panels)
    assert all(re.search("[а-я]", panel["title"]) and " / " in panel["title"] for panel in panels)
