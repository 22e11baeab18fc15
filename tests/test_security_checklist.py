"""The checklist of docs/en/security.md: it has every item, and each row names a test that exists, or a reason."""

import ast
import re
from functools import cache
from pathlib import Path

from hikflask.isapi import event_push, events
from hikflask.services.accounts import operators, passwords, second_factor, sign_in_limits
from hikflask.services.audit import log
from hikflask.services.enrolments import mass_removals
from hikflask.services.passages import log_row
from hikflask.services.photos import inspection_program, jpeg, jpeg_process
from hikflask.services.spreadsheets import reader, reader_process
from hikflask.services.webhooks import allowed_addresses

ROOT = Path(__file__).parents[1]
ROW = re.compile(r"\| (?P<item>\d[\d.-]*) \| (?P<what>[^|]+) \| (?P<state>[^|]+) \| (?P<why>.+) \|\Z")
TEST = re.compile(r"`(tests/[\w/]+\.py)::([\w:]+)`")
# Section of ASVS 4.0.3 → its items of level 1, and of level 2 where sign-in, sessions, access, secrets, logs and
# configuration are meant; what the standard has withdrawn is not here.
ITEMS = {
    "1.2": range(1, 5), "1.4": [1, 4, 5], "1.6": range(1, 5), "1.7": [1, 2], "1.14": range(1, 7),
    "2.1": range(1, 13), "2.2": range(1, 4), "2.3": range(1, 4), "2.4": range(1, 6), "2.5": range(1, 8),
    "2.6": range(1, 4), "2.7": range(1, 7), "2.8": range(1, 8), "2.9": range(1, 4), "2.10": range(1, 5),
    "3.1": [1], "3.2": range(1, 5), "3.3": range(1, 5), "3.4": range(1, 6), "3.5": range(1, 4), "3.7": [1],
    "4.1": [1, 2, 3, 5], "4.2": [1, 2], "4.3": range(1, 4),
    "5.1": range(1, 6), "5.2": range(1, 9), "5.3": range(1, 11), "5.5": range(1, 5),
    "6.2": range(1, 7), "6.3": [1, 2], "6.4": [1, 2],
    "7.1": range(1, 5), "7.2": [1, 2], "7.3": [1, 3, 4], "7.4": range(1, 4),
    "8.2": range(1, 4), "8.3": range(1, 6), "9.1": range(1, 4), "10.3": range(1, 4), "11.1": range(1, 6),
    "12.1": [1], "12.3": range(1, 6), "12.4": [1, 2], "12.5": [1, 2], "12.6": [1],
    "13.1": [1, 3], "13.2": range(1, 4), "13.3": [1],
    "14.1": range(1, 5), "14.2": range(1, 7), "14.3": [2, 3], "14.4": range(1, 8), "14.5": range(1, 5),
}  # fmt: skip
STATES = {"yes", "partly", "no", "n/a"}


def rows() -> list[re.Match[str]]:
    """The rows of the checklist."""
    text = (ROOT / "docs/en/security.md").read_text(encoding="utf-8")
    return [found for line in text.splitlines() if (found := ROW.match(line))]


def items(row: re.Match[str]) -> list[str]:
    """The items of a row: 2.7.1-4 are four."""
    section, _, numbers = row["item"].rpartition(".")
    first, _, last = numbers.partition("-")
    return [f"{section}.{number}" for number in range(int(first), int(last or first) + 1)]


@cache
def names_in(path: str) -> set[str]:
    """The names of the tests in a file, those in classes as Class::name."""
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    functions = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    methods = {f"{one.name}::{node.name}" for one in classes for node in one.body if isinstance(node, ast.FunctionDef)}
    return {name for name in functions | methods if name.rpartition("::")[2].startswith("test_")}


def test_every_item_is_answered_once() -> None:
    wanted = [f"{section}.{number}" for section, numbers in ITEMS.items() for number in numbers]

    assert [item for row in rows() for item in items(row)] == wanted


def test_row_has_a_state_and_a_test_that_exists_or_a_reason() -> None:
    for row in rows():
        named = TEST.findall(row["why"])
        reason = TEST.sub("", row["why"]).strip(" ,;")

        assert row["state"] in STATES, row["item"]
        assert named or len(reason) > 10, row["item"]
        assert row["state"] in {"yes", "n/a"} or reason, row["item"]
        assert row["why"].count("::") == sum(1 + name.count("::") for _, name in named), row["item"]
        assert [name for path, name in named if name not in names_in(path)] == []


def test_named_rows_are_all_read() -> None:
    text = (ROOT / "docs/en/security.md").read_text(encoding="utf-8")

    assert len(TEST.findall(text)) == sum(len(TEST.findall(row["why"])) for row in rows())
    assert len(re.findall(r"^\| \d", text, re.MULTILINE)) == len(rows())


def test_limits_that_it_names_are_those_of_the_program() -> None:
    text = " ".join((ROOT / "docs/en/security.md").read_text(encoding="utf-8").split())
    megabyte = 1024 * 1024
    named = {
        "only two passwords hashed at a time": passwords.AT_ONCE == 2,
        "at most 2 MB": 2 * megabyte == event_push.MAX_BYTES,
        "ten seconds for all of it": allowed_addresses.SECONDS == 10,
        "each in a process of its own that is held to 256 MB": 256 * megabyte == reader.MAX_MEMORY,
        "takes at most 16 MB": 16 * megabyte == reader.MAX_HEADS,
        "Tables are read one for each operator and two at once": reader_process.AT_ONCE == 2,
        "Whoever types twenty wrong passwords for a name": sign_in_limits.TRIES_BY_ACCOUNT == 20,
        "closes it for a quarter of an hour": sign_in_limits.WINDOW_SECONDS == 900,
        "Thirty close an address": sign_in_limits.TRIES_BY_ADDRESS == 30,
        "Many are more than twenty people, or more than a tenth of a terminal's and three or more": (
            (mass_removals.MAX_UNCONFIRMED, mass_removals.MAX_SHARE, mass_removals.MIN_MANY) == (20, 0.1, 3)
        ),
        "took within 24 hours": mass_removals.TAKEN_WINDOW == 24 * 3600,
        "The largest picture that is taken (40 megapixels)": jpeg.MAX_PIXELS == 40_000_000,
        "in a process of its own that is held to 650 MB": inspection_program.MAX_MEMORY <= 650_000_000,
        "decodes one after the other, and lets five more wait": (jpeg_process.AT_ONCE, jpeg_process.WAITING) == (1, 5),
        "Beside it two small pictures of an import are decoded": jpeg_process.SMALL_AT_ONCE == 2,
        "two at once, of at most 4 megapixels": (
            (jpeg_process.FACES_AT_ONCE, jpeg.MAX_CAPTURED_PIXELS) == (2, 4_000_000)
        ),
        "each may have up to 2 MB": 2 * megabyte == events.MAX_PICTURE_BYTES,
        "at most 20,000 new events a day": log_row.MOST[log_row.NEW] == 20_000,
        "in the audit trail once an hour for whoever looks": log.VIEW_SECONDS == 3600,
        "scrypt is used (N = 2^15, r = 8, p = 3)": f"scrypt:{2**15}:8:3" == passwords.METHOD,
        "zxcvbn must give a score of 3 of 4": passwords.MIN_SCORE == 3,
        "64 are allowed, more than 128 refused": passwords.MAX_LENGTH == 128,
        "recovery codes have 80 bits": second_factor.RECOVERY_BYTES * 8 == 80,
        "the code of the first run has 80 bits, ten tries": (operators.SETUP_CODE_BYTES * 8, operators.SETUP_TRIES)
        == (80, 10),
        "TOTP of thirty seconds": second_factor.STEP_SECONDS == 30,
    }

    assert [words for words in named if words not in text] == []
    assert [words for words, is_so in named.items() if not is_so] == []
