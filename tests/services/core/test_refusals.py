"""Each refusal has its rule, and each rule is of a refusal."""

import re
from pathlib import Path

import hikflask
from hikflask.services.core.refusals import RULES

SOURCES = [path.read_text(encoding="utf-8") for path in Path(hikflask.__file__).parent.rglob("*.py")]
RAISED = re.compile(r"\b(?:ServiceError|NotFound|BadPhoto|BadArchive|ComparisonFailed|CaptureSuperseded)\(\s*\"(\w+)\"")


def test_each_code_that_is_raised_has_its_rule() -> None:
    codes = {code for source in SOURCES for code in RAISED.findall(source)}

    assert len(codes) > 80
    assert codes - set(RULES) == set()


def test_each_rule_is_of_a_code_that_is_used() -> None:
    used = {code for source in SOURCES if "RULES = " not in source for code in re.findall(r"\"(\w+)\"", source)}

    assert set(RULES) - used == set()
