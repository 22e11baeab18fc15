"""Days are read as people and programs write them."""

from datetime import datetime

import pytest
from flask import Flask

from hikflask.services.imports.table.days import moments

pytestmark = pytest.mark.usefixtures("context")


@pytest.mark.parametrize(
    "text",
    ["15-Nov-2026", "15 Nov 2026", "15-nov-26", "Nov 15, 2026", "November 15th, 2026", "Sunday, November 15, 2026",
     "2026-Nov-15", "15/Sept/2026", "15 ноября 2026", "15 нояб. 2026 г.", "15 ноября 2026 года", "15.ноя.26",
     "воскресенье, 15 ноября 2026 г.", "15-noyabr 2026", "2026-yil 15-noyabr", "2026 йил 15 ноябр", "15 қараша 2026",
     "2026 ж. 15 қараша", "2026 жылғы 15 қараша", "15.11.2026", "11/15/2026", "15.11.26"],
)  # fmt: skip
def test_day_has_its_month_by_name_in_any_language(text: str) -> None:
    month = 9 if "Sept" in text else 11

    assert set(moments(text)) == {datetime(2026, month, 15)}  # noqa: DTZ001 - a day has no zone


@pytest.mark.parametrize(
    "text",
    ["15 Ма 2026", "iy 15, 2026", "Nov 15 26", "31-Nov-2026", "15 ноября", "Ноябрь 2026", "15 цех 2026", "2026",
     "Приказ от 15 ноября 2026", "15 Nov 2026 25:00", "15+Nov+2026", "15 16 Nov", "1 2 3 Nov 2026"],
)  # fmt: skip
def test_what_may_be_another_day_is_none(text: str) -> None:
    assert list(moments(text)) == []


@pytest.mark.parametrize(
    ("text", "hour"),
    [("12/31/2027 12:00:00 AM", 0), ("12/31/2027 12:30 p.m.", 12.5), ("31 Dec 2027, 6:00pm", 18),
     ("2027-12-31T00:00:00.0000000Z", 0), ("2027-12-31 18:00", 18), ("31.12.2027 0:00", 0),
     # In Tashkent: the beginning of a day as it is written, any other time as it is there.
     ("2027-12-31T00:00:00+00:00", 0), ("2027-12-31 00:00:00+05", 0), ("2027-12-31T01:00:00.123Z", 6),
     ("2027-12-30T19:00:00Z", 0), ("2027-12-31T10:00+0300", 12)],
)  # fmt: skip
def test_time_and_zone_are_read(app: Flask, text: str, hour: float) -> None:
    app.config["TIMEZONE"] = "Asia/Tashkent"

    said = set(moments(text))

    assert said == {datetime(2027, 12, 31, int(hour), int(hour % 1 * 60))}  # noqa: DTZ001
