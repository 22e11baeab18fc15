"""Which moments a text may say: a day in numbers or with its month by name, as people and programs write it."""

import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import date, datetime, time
from functools import lru_cache
from typing import Literal

from babel.dates import get_day_names, get_month_names

from hikflask.services.core.dates import local
from hikflask.services.enrolments.validity import LAST_OF_DAY
from hikflask.text_rules import folded

DATES = ("%d.%m.%Y", "%Y-%m-%d", "%Y/%m/%d", "%d/%m/%Y", "%m/%d/%Y")
SHORT_DATES = ("%d.%m.%y", "%d/%m/%y", "%m/%d/%y")
# Excel takes a year of two digits for one of this century up to 29, and up to 49 where Windows is recent.
OF_THIS_CENTURY, OF_THE_LAST = range(50), range(30, 100)
# Behind a day, as a Russian writes it by hand.
YEAR = re.compile(r"(?<=\d)\s*(?:г\.?|года)\Z", re.IGNORECASE)
TIME = re.compile(
    r"(?:T|,?\s)\s*([01]?\d|2[0-3]):([0-5]\d)(?::([0-5]\d)(?:[.,]\d+)?)?(?:\s?([AP])\.?M\.?)?\s?"
    r"(Z|[+-]\d\d(?::?\d\d)?)?\Z",
    re.IGNORECASE,
)
# When a day begins, or ends.
WHOLE = {time.min, time(23, 59), LAST_OF_DAY}
# A day with its month by name has three parts, and words that say nothing: 2027-yil 31-dekabr, December 31st.
PART, BETWEEN = re.compile(r"\d+|[^\W\d_]+"), re.compile(r"[\s.,/-]*")
BESIDE_A_DAY = {"st", "nd", "rd", "th", "го", "г", "год", "года", "yil", "йил", "ж", "жыл", "жылы", "жылғы"}
LANGUAGES = ("en", "ru", "uz", "uz_Cyrl", "kk")


def moments(text: str) -> Iterator[datetime]:
    """Yield the moments that a text may say, each without a zone: 12/01/2026 is a day of January or of December.

    One that is written with a zone is said as it is here, unless it is the beginning or the end of a day there.
    """
    said, at, zone = TIME.search(text), time.min, ""
    if said:
        text, zone = text[: said.start()], said[5] or ""
        hour = int(said[1]) % 12 + 12 * (said[4] in "Pp") if said[4] else int(said[1])
        at = time(hour, int(said[2]), int(said[3] or 0))
    for day in _days(_in_numbers(YEAR.sub("", text))):
        moment = datetime.combine(day, at)
        yield _as_here(moment, zone) if zone and at not in WHOLE else moment


def _as_here(moment: datetime, zone: str) -> datetime:
    offset = zone if len(zone) != len("+05") else f"{zone}00"
    with suppress(OverflowError):  # In the last year that there is.
        moment = local(datetime.strptime(f"{moment} {offset}", "%Y-%m-%d %H:%M:%S %z")).replace(tzinfo=None)
    return moment


def _days(text: str) -> Iterator[date]:
    for form in DATES:
        with suppress(ValueError):
            yield datetime.strptime(text, form).date()  # noqa: DTZ007 - a day has no zone
    for form in SHORT_DATES:
        with suppress(ValueError):
            day = datetime.strptime(text, form).date()  # noqa: DTZ007
            year = day.year % 100
            if year in OF_THIS_CENTURY:
                yield day.replace(year=2000 + year)
            if year in OF_THE_LAST:
                yield day.replace(year=1900 + year)


def _in_numbers(text: str) -> str:
    """Return a day with its month by name as 31.12.2027; any other text as it is."""
    parts = [part for part in PART.findall(folded(text)) if part not in BESIDE_A_DAY | _weekdays()]
    words = [part for part in parts if not part.isdecimal()]
    numbers = [part for part in parts if part.isdecimal()]
    if len(words) != 1 or len(numbers) != 2 or not BETWEEN.fullmatch(PART.sub("", text)):
        return text
    month, (day, year) = _month(words[0]), numbers
    if len(day) == 4:
        day, year = year, day
    # “Nov 15 26” may be any year.
    return text if month is None or (len(year) < 4 and parts[1] in numbers) else f"{day}.{month}.{year}"


def _month(word: str) -> int | None:
    """Return the number of the month that a word begins, in any of the languages."""
    found = {number for name, number in _months().items() if name.startswith(word) and len(word) > 2}
    return found.pop() if len(found) == 1 else None


@lru_cache(1)
def _months() -> dict[str, int]:
    widths: list[tuple[Literal["wide", "abbreviated"], Literal["format", "stand-alone"]]]
    widths = [("wide", "format"), ("wide", "stand-alone"), ("abbreviated", "format")]
    return {
        folded(name): number
        for language in LANGUAGES
        for width, context in widths
        for number, name in get_month_names(width, context, language).items()
    }


@lru_cache(1)
def _weekdays() -> set[str]:
    return {folded(name) for language in LANGUAGES for name in get_day_names(locale=language).values()}
