"""Devices on which an operator has signed in before."""

import pytest

from hikflask.models import Operator
from hikflask.services.accounts import sign_in_limits

pytestmark = pytest.mark.usefixtures("context")


def operator(operator_id: int, generation: int = 0) -> Operator:
    return Operator(id=operator_id, device_generation=generation)


def test_a_device_is_known_to_the_accounts_that_were_signed_in_there() -> None:
    cookie = sign_in_limits.with_account("", 7, 0)

    assert sign_in_limits.device_of(cookie, operator(7))
    assert sign_in_limits.device_of(cookie, operator(8)) is None
    assert sign_in_limits.device_of(cookie, None) is None
    assert sign_in_limits.device_of("anything else", operator(7)) is None


def test_another_generation_makes_all_devices_unknown() -> None:
    cookie = sign_in_limits.with_account("", 7, 0)

    assert sign_in_limits.device_of(cookie, operator(7, generation=1)) is None


def test_a_shared_computer_remembers_the_last_accounts_and_each_once() -> None:
    cookie = ""
    for operator_id in [*range(sign_in_limits.MAX_ACCOUNTS + 1), 5]:
        cookie = sign_in_limits.with_account(cookie, operator_id, 0)

    known = [n for n in range(sign_in_limits.MAX_ACCOUNTS + 1) if sign_in_limits.device_of(cookie, operator(n))]
    assert known == list(range(1, sign_in_limits.MAX_ACCOUNTS + 1))


def test_each_sign_in_names_the_device_anew() -> None:
    first = sign_in_limits.with_account("", 7, 0)
    second = sign_in_limits.with_account(first, 7, 0)

    assert sign_in_limits.device_of(first, operator(7)) != sign_in_limits.device_of(second, operator(7))
