"""The pictures of the guides: drawn from pages, and compared with those that are committed."""

import io
import json
from dataclasses import dataclass, field
from datetime import date
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
# What stands in pictures for a moment that differs from run to run.
MOMENTS = {
    "ru": {"ago": "5 минут назад", "at": "в 09:41", "seconds": "Осталось 18 с", "day": "12 октября 2026"},
    "en": {"ago": "5 minutes ago", "at": "at 09:41", "seconds": "18 s left", "day": "12 October 2026"},
}
WIDTH, SCALE, MARGIN = 1216, 1.25, 12
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

    def draw(self, page: Page, name: str, part: str = "body", *, height: int = 640) -> None:
        """Draw a part of the page as it is now, in both themes, and compare it.

        :param height: of the window, in pixels; a page that is longer is cut off there.
        """
        today = format_date(date.today(), "d MMMM y", locale=self.language)  # noqa: DTZ011 - as the server has it
        html = page.evaluate(STILL, {**MOMENTS[self.language], "today": today})
        still = page.context.new_page()
        still.set_viewport_size({"width": WIDTH, "height": height})
        still.route("**/still", lambda route: route.fulfill(body=html, content_type="text/html; charset=utf-8"))
        still.goto("/still")
        still.evaluate(LOADED)
        shown = still.locator(part)
        self.drawn[name] = [line for line in map(str.strip, shown.inner_text().splitlines()) if line]
        for theme in THEMES:
            still.emulate_media(color_scheme=theme)
            picture = still.screenshot(clip=around(shown) if part != "body" else None)
            self._keep(self.folder / f"{name}-{theme}.webp", picture)
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
        known = json.loads(self.file_of_words.read_text(encoding="utf-8"))
        for name in {**known, **self.drawn}:
            before, now = known.get(name, []), self.drawn.get(name, [])
            if before != now:
                self.wrong.append(f"{name}: the words {[*set(before) - set(now)]} are {[*set(now) - set(before)]} now")
        self.wrong += [f"{file.name} is drawn no more" for file in self.folder.glob("*.webp") if file.name not in files]

    def _keep(self, file: Path, png: bytes) -> None:
        drawn = Image.open(io.BytesIO(png)).convert("RGB")
        if file.exists() and alike(drawn, Image.open(file).convert("RGB")):
            return
        if not self.renew:
            self.wrong.append(f"{file.name}: the page looks otherwise, or there is no picture")
            return
        file.parent.mkdir(exist_ok=True)
        drawn.save(file, "WEBP", quality=76, method=6)


def around(part: Locator) -> FloatRect:
    """A part of a page with some of what surrounds it."""
    box = part.bounding_box()
    assert box
    x, y = max(0, box["x"] - MARGIN), max(0, box["y"] - MARGIN)
    return {"x": x, "y": y, "width": box["width"] + 2 * MARGIN, "height": box["height"] + 2 * MARGIN}


def alike(one: Image.Image, other: Image.Image) -> bool:
    """Whether two pictures show the same, on whatever machines they were drawn."""
    if one.size != other.size:
        return False
    size = (one.width // SQUARE, one.height // SQUARE)
    squares = ImageChops.difference(*(picture.resize(size, Image.Resampling.BOX) for picture in (one, other)))
    red, green, blue = squares.split()
    counts = ImageChops.lighter(ImageChops.lighter(red, green), blue).histogram()
    return sum(counts[TOLERANCE + 1 :]) <= MAX_DIFFERENT * sum(counts)
