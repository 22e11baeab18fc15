"""The first administrator, created on a page with the code from the log."""

import pytest

from hikflask.services.accounts import setup
from hikflask.services.accounts.errors import OperatorsExist, TooOften
from hikflask.services.core.errors import ServiceError

pytestmark = [pytest.mark.usefixtures("context"), pytest.mark.both_databases]
GOOD = "четыре слова без связи"


def test_first_administrator_comes_once() -> None:
    setup.create_administrator(setup.code(), "Анна", GOOD, "10.0.0.1")

    with pytest.raises(OperatorsExist):
        setup.create_administrator(setup.code(), "Ольга", GOOD, "10.0.0.1")


def test_one_machine_gets_no_more_tries_at_the_code_by_taking_other_addresses() -> None:
    for number in range(setup.TRIES):
        with pytest.raises(ServiceError, match=r"^code_wrong$"):
            setup.create_administrator("AAAA", "Анна", GOOD, f"2001:db8::{number + 1:x}")

    with pytest.raises(TooOften):
        setup.create_administrator(setup.code(), "Анна", GOOD, "2001:db8::ffff:ffff:ffff:ffff")
    assert setup.create_administrator(setup.code(), "Анна", GOOD, "2001:db8:0:1::1").name == "Анна"
