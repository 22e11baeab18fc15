"""Drawn faces to show to the camera: nobody's faces, the same bytes for the same name every time."""

import io
from dataclasses import dataclass
from functools import cache, lru_cache

from PIL import Image, ImageDraw, ImageEnhance, UnidentifiedImageError

PASSAGE_SIZE = (768, 432)
"""The size of the picture of a passage on a K1A340FWX."""
WIDTH, HEIGHT = 360, 480
"""Portrait 3:4. Every terminal accepts pictures whose longest side has 400 to 1200 px."""


@dataclass(frozen=True)
class Look:
    """What tells one drawn face from another. Colours are names or #rrggbb."""

    background: str
    skin: str
    hair: str
    shirt: str
    long_hair: bool = False
    bald: bool = False
    glasses: bool = False
    beard: bool = False


_LOOKS = {
    "anna": Look("#cfe3f5", "#f6d3b8", "#e0b050", "#c2408a", long_hair=True),
    "boris": Look("#e6e0d2", "#eebf98", "#3a2a20", "#2f5d8c", beard=True),
    "clara": Look("#d9f0dd", "#8d5a3c", "#1a1412", "#e08a2c", long_hair=True, glasses=True),
    "dmitri": Look("#f3dcdc", "#f9dcc8", "#b5502a", "#3c7a4a", glasses=True),
    "elena": Look("#e8dcf4", "#e3b48c", "#6b3a7a", "#f2f2f2", long_hair=True),
    "farid": Look("#fbeec2", "#b98055", "#111111", "#5a5a66", bald=True, beard=True, glasses=True),
}
NAMES = tuple(_LOOKS)


def draw(name: str) -> bytes:
    """The face `name` (one of `NAMES`) as a baseline JPEG with 4:2:0 chroma."""
    return paint(_LOOKS[name])


@cache
def paint(look: Look) -> bytes:
    """A face with this look."""
    image = Image.new("RGB", (WIDTH, HEIGHT), look.background)
    pen = ImageDraw.Draw(image)
    if look.long_hair:
        pen.rounded_rectangle((78, 110, 282, 400), 90, look.hair)
    # The body.
    pen.ellipse((20, 375, 340, 640), look.shirt)
    pen.rounded_rectangle((145, 320, 215, 415), 30, look.skin)
    _draw_head(pen, look)
    # Nose and mouth.
    pen.line(((180, 225), (170, 266), (188, 268)), "#8a5238", 5, joint="curve")
    if look.beard:
        pen.ellipse((142, 282, 218, 324), look.skin)
    pen.arc((148, 268, 212, 312), 20, 160, "#a3303a", 7)
    return encode(image)


@lru_cache(maxsize=200)
def passage(jpeg: bytes) -> bytes:
    """The face in `jpeg` as the camera over the door sees it: smaller and darker; what is no picture stays so."""
    try:
        face = Image.open(io.BytesIO(jpeg)).convert("RGB")
    except (UnidentifiedImageError, OSError):
        return jpeg
    width, height = PASSAGE_SIZE
    face.thumbnail((width, height * 5 // 6))
    wall = face.resize((1, 1), box=(0, 0, 8, 8)).resize(PASSAGE_SIZE)
    wall.paste(face, ((width - face.width) // 2, height - face.height))
    return encode(ImageEnhance.Brightness(wall).enhance(0.75))


def encode(image: Image.Image) -> bytes:
    """`image` as terminals keep pictures: a baseline JPEG with 4:2:0 chroma."""
    stream = io.BytesIO()
    image.convert("RGB").save(stream, "JPEG", quality=88, subsampling="4:2:0", progressive=False)
    return stream.getvalue()


def _draw_head(pen: ImageDraw.ImageDraw, look: Look) -> None:
    pen.ellipse((84, 190, 112, 260), look.skin)
    pen.ellipse((248, 190, 276, 260), look.skin)
    if not look.bald:
        pen.ellipse((92, 68, 268, 270), look.hair)
    pen.ellipse((100, 98 if look.bald else 112, 260, 352), look.skin)
    if look.beard:
        pen.chord((102, 200, 258, 362), 8, 172, look.hair)
    if not look.bald:
        pen.chord((98, 82, 262, 232), 190, 350, look.hair)
    for centre in (145, 215):
        pen.ellipse((centre - 17, 204, centre + 17, 230), "white")
        pen.ellipse((centre - 9, 207, centre + 9, 227), "#2a2a2a")
        pen.line((centre - 20, 192, centre + 20, 188), "#2a2016", 6)
        if look.glasses:
            pen.ellipse((centre - 30, 188, centre + 30, 246), outline="#20242c", width=6)
    if look.glasses:
        pen.line((174, 214, 186, 214), "#20242c", 6)
