"""The pictures of the guides: drawn from pages, and compared with those that are committed."""

import io
import json
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Literal

from babel.dates import format_date
from PIL import Image, ImageChops
from playwright.sync_api import FloatRect, Locator, Page

DOCS = Path(__file__).parents[2] / "docs"
THEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
STILL = Path(__file__).with_name("still.js").read_text(encoding="utf-8")
# Those that are not in sight yet are loaded late, and are decoded later still.
LOADED = """Promise.all([...document.images].map(one => { one.loading = "eager"; return one.decode(); }))"""
VALUES = "fields => fields.map(field => field.value)"
# What stands in pictures for a moment that differs from run to run.
MOMENTS = {
    "ru": {"ago": "5 минут назад", "at": "в 09:41", "seconds": "Осталось 18 с", "day": "12 октября 2026"},
    "en": {"ago": "5 minutes ago", "at": "at 09:41", "seconds": "18 s left", "day": "12 October 2026"},
}
# Of a page with its bar, of one without, and what surrounds a part of one, in pixels; and how sharp they are.
WIDE, NARROW, MARGIN, SCALE = 1280, 1010, 12, 1.3
# Two pictures are compared in squares of so many pixels: a square differs when its colour does by more than this (of
# 255). Fonts that another machine smooths otherwise stay below it.
SQUARE, TOLERANCE = 12, 20
MAX_DIFFERENT = 0.002


@dataclass
class Gallery:
    """The pictures of one language; with `renew` those that are not as the pages are now are written anew."""

    language: str
    renew: bool
    docs: Path = DOCS
    drawn: dict[str, list[str]] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)

    @property
    def folder(self) -> Path:
        return self.docs / self.language / "pictures"

    @property
    def file_of_words(self) -> Path:
        return self.folder / "words.json"

    @cached_property
    def known(self) -> dict[str, list[str]]:
        """The words of the pictures that are there."""
        file = self.file_of_words
        return json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}

    def draw(self, page: Page, name: str, part: str = "main", *, width: int = NARROW, height: int = 640) -> None:
        """Draw a part of the page as it is now, in both themes, and compare it.

        :param width: of the window, in pixels; the narrower, the larger the words are in the guide.
        :param height: of the window; a page that is longer is cut off there.
        """
        today = format_date(date.today(), "d MMMM y", locale=self.language)  # noqa: DTZ011 - as the server has it
        html = page.evaluate(STILL, {**MOMENTS[self.language], "today": today})
        still = page.context.new_page()
        still.set_viewport_size({"width": width, "height": height})
        still.route("**/still", lambda route: route.fulfill(body=html, content_type="text/html; charset=utf-8"))
        still.goto("/still")
        still.evaluate(LOADED)
        shown = still.locator(part)
        words = [*shown.inner_text().splitlines(), *shown.locator("input[type=text]").evaluate_all(VALUES)]
        self.drawn[name] = [line for line in map(str.strip, words) if line]
        for theme in THEMES:
            still.emulate_media(color_scheme=theme)
            picture = still.screenshot(clip=around(shown, width, height))
            self._keep(name, self.folder / f"{name}-{theme}.webp", picture)
        still.close()

    def finish(self) -> None:
        """Compare the words of all pictures, and whether there are no others."""
        words = json.dumps(self.drawn, ensure_ascii=False, indent=1) + "\n"
        files = {f"{name}-{theme}.webp" for name in self.drawn for theme in THEMES}
        if self.renew:
            self.file_of_words.write_text(words, encoding="utf-8")
            for file in self.folder.glob("*.webp"):
                if file.name not in files:
                    file.unlink()
            return
        for name in {**self.known, **self.drawn}:
            before, now = self.known.get(name, []), self.drawn.get(name, [])
            if before != now:
                self.wrong.append(f"{name}: the words {[*set(before) - set(now)]} are {[*set(now) - set(before)]} now")
        self.wrong += [f"{file.name} is drawn no more" for file in self.folder.glob("*.webp") if file.name not in files]

    def _keep(self, name: str, file: Path, png: bytes) -> None:
        drawn = Image.open(io.BytesIO(png)).convert("RGB")
        is_alike = file.exists() and alike(drawn, Image.open(file).convert("RGB"))
        if not is_alike and not self.renew:
            self.wrong.append(f"{file.name}: the page looks otherwise, or there is no picture")
        if not self.renew or (is_alike and self.known.get(name) == self.drawn[name]):
            return
        file.parent.mkdir(exist_ok=True)
        drawn.save(file, "WEBP", quality=76, method=6)


def around(part: Locator, width: int, height: int) -> FloatRect:
    """A part of a page with some of what surrounds it, as far as the window shows it."""
    box = part.bounding_box()
    assert box
    margin = 0 if part.evaluate("one => one.tagName === 'MAIN'") else MARGIN
    left, top = max(0, box["x"] - margin), max(0, box["y"] - margin)
    right, bottom = min(width, box["x"] + box["width"] + margin), min(height, box["y"] + box["height"] + margin)
    return {"x": left, "y": top, "width": right - left, "height": bottom - top}


def alike(one: Image.Image, other: Image.Image) -> bool:
    """Whether two pictures show the same, on whatever machines they were drawn."""
    if one.size != other.size:
        return False
    size = (one.width // SQUARE, one.height // SQUARE)
    squares = ImageChops.difference(*(picture.resize(size, Image.Resampling.BOX) for picture in (one, other)))
    red, green, blue = squares.split()
    counts = ImageChops.lighter(ImageChops.lighter(red, green), blue).histogram()
    return sum(counts[TOLERANCE + 1 :]) <= MAX_DIFFERENT * sum(counts)
