"""Tries are counted within a window, by account and by place."""

import pytest

from hikflask.extensions import db
from hikflask.models import Throttle
from hikflask.models.columns import database_now
from hikflask.services.accounts import rate_limit
from hikflask.services.accounts.errors import TooOften

pytestmark = [pytest.mark.usefixtures("context"), pytest.mark.both_databases]


def test_window_that_is_over_begins_anew_and_a_clock_set_back_closes_nothing() -> None:
    for back in (901.0, -86400.0):
        for _ in range(3):
            rate_limit.count_try("account:x", 3, 900.0)
        with pytest.raises(TooOften) as caught:
            rate_limit.count_try("account:x", 3, 900.0)
        assert caught.value.params["seconds"] in {899, 900}

        db.session.execute(db.update(Throttle).values(since=database_now(-back)))
        db.session.commit()
        rate_limit.count_try("account:x", 3, 900.0)
        rate_limit.reset_account("account:x")


def test_the_first_try_too_many_is_told() -> None:
    for _ in range(3):
        rate_limit.count_try("account:x", 3, 900.0)

    told = []
    for _ in range(2):
        with pytest.raises(TooOften) as caught:
            rate_limit.count_try("account:x", 3, 900.0)
        told.append(caught.value.params["first"])

    assert told == [True, False]


def test_a_try_given_back_is_free_again() -> None:
    rate_limit.count_try("account:x", 1, 900.0)
    rate_limit.uncount_try("account:x")

    rate_limit.refuse_exhausted("account:x", 1, 900.0)
    rate_limit.count_try("account:x", 1, 900.0)
    with pytest.raises(TooOften):
        rate_limit.refuse_exhausted("account:x", 1, 900.0)


def test_one_machine_is_one_place_whatever_address_it_takes() -> None:
    for address, place in [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8::1", "2001:db8::/64"),
        ("2001:db8::ffff:ffff:ffff:ffff", "2001:db8::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::ffff:192.0.2.7", "::ffff:192.0.2.7"),
        ("", ""),
    ]:
        assert rate_limit.place_of(address) == place


def test_account_has_one_key_however_its_name_is_spelled() -> None:
    # Accents, spaces and punctuation; what directories ignore; letters younger than RFC 4518, and letters of no shape.
    added = "\u0301 .-_\u200b\ufe0f\ufffc\u1806\u0378\ue000\ufffd\ufdd0\U000e0001\U0001e900\u115f\u3164\uffa0\u0640"
    spellings = ["IVANOV7", "ｉｖａｎｏｖ７", "ⓘvanov⑦", *(f"iva{one}nov7" for one in added)]

    assert {rate_limit.account_key(name) for name in spellings} == {rate_limit.account_key("ivanov7")}
    others = ["ivanov8", "ivanova7", "иванов7", "@", ""]
    assert rate_limit.account_key("ivanov7") not in {rate_limit.account_key(name) for name in others}


def test_an_account_is_reset_with_its_places_and_no_other_account_is() -> None:
    anna, olga = rate_limit.account_key("анна"), rate_limit.account_key("ольга")
    for key in (anna, rate_limit.key_at_place(anna, "192.0.2.7"), olga):
        rate_limit.count_try(key, 9, 900.0)

    rate_limit.reset_account(anna)

    assert db.session.execute(db.select(Throttle.key)).scalars().all() == [olga]


def test_counts_whose_window_is_long_over_are_deleted() -> None:
    db.session.add(Throttle(key="old", since=database_now(-2 * 86400.0), count=1))
    db.session.add(Throttle(key="new", since=database_now(-60.0), count=1))

    rate_limit.delete_old_tries()

    assert db.session.execute(db.select(Throttle.key)).scalars().all() == ["new"]
