"""The first administrator, created on a page with the code from the log."""

import pytest

from hikflask.services.accounts import operators
from hikflask.services.accounts.errors import OperatorsExist, TooOften
from hikflask.services.core.errors import ServiceError

pytestmark = [pytest.mark.usefixtures("context"), pytest.mark.both_databases]
GOOD = "четыре слова без связи"


def test_first_administrator_comes_once() -> None:
    operators.create_administrator(operators.setup_code(), "Анна", GOOD, "10.0.0.1")

    with pytest.raises(OperatorsExist):
        operators.create_administrator(operators.setup_code(), "Ольга", GOOD, "10.0.0.1")


def test_one_machine_gets_no_more_tries_at_the_code_by_taking_other_addresses() -> None:
    for number in range(operators.SETUP_TRIES):
        with pytest.raises(ServiceError, match=r"^code_wrong$"):
            operators.create_administrator("AAAA", "Анна", GOOD, f"2001:db8::{number + 1:x}")

    with pytest.raises(TooOften):
        operators.create_administrator(operators.setup_code(), "Анна", GOOD, "2001:db8::ffff:ffff:ffff:ffff")
    assert operators.create_administrator(operators.setup_code(), "Анна", GOOD, "2001:db8:0:1::1").name == "Анна"
