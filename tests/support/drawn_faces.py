"""Photos of faces that nobody has: drawn with soft shades, so that a face detector takes them for real ones."""

import io
import itertools
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from PIL import Image, ImageChops, ImageDraw, ImageEnhance, ImageFilter

# The canvas of one head in pixels; it is drawn once at this size and then reduced.
WIDTH, HEIGHT = 600, 1000
# Where its face is: the middle, which is the tip of the nose, and about its width, from brow to chin.
CENTRE, FACE = (300, 445), 300


@dataclass(frozen=True)
class Person:
    """What tells one drawn person from another: colours as red, green, blue."""

    skin: tuple[int, int, int] = (224, 178, 150)
    hair: tuple[int, int, int] = (62, 42, 30)
    shirt: tuple[int, int, int] = (58, 84, 124)
    eyes: tuple[int, int, int] = (84, 62, 44)


FAIR = Person()
DARK = Person(skin=(112, 74, 54), hair=(24, 20, 18), shirt=(190, 160, 60), eyes=(48, 32, 24))
RED_HAIRED = Person(skin=(240, 200, 176), hair=(150, 76, 34), shirt=(70, 110, 70), eyes=(88, 120, 96))


@cache
def head(person: Person = FAIR) -> Image.Image:
    """Draw a head and shoulders on nothing (RGBA, WIDTH x HEIGHT); the picture is not to be changed."""
    picture = Image.new("RGBA", (WIDTH, HEIGHT))
    for layer in (_shoulders, _back_of_hair, _neck, _face, _eyes, _nose, _mouth, _fringe):
        layer(picture, person)
    return picture


def portrait(size: tuple[int, int] = (900, 1200), person: Person = FAIR, *, face: float = 0.5) -> Image.Image:
    """Draw a photo as terminals want it; `face` is the width of the face as a share of the photo's."""
    photo = background(size)
    place(photo, person, (size[0] / 2, size[1] * 0.5), size[0] * face)
    return photo


def place(photo: Image.Image, person: Person, centre: tuple[float, float], width: float) -> None:
    """Draw a person into a photo, whose face has this centre and about this width in pixels."""
    scale = width / FACE
    drawn = head(person).resize((round(WIDTH * scale), round(HEIGHT * scale)), Image.Resampling.LANCZOS)
    at = (round(centre[0] - CENTRE[0] * scale), round(centre[1] - CENTRE[1] * scale))
    photo.paste(drawn, at, drawn)


def background(size: tuple[int, int], colour: tuple[int, int, int] = (196, 202, 208)) -> Image.Image:
    """Draw a wall that is a little darker at the bottom."""
    shade = Image.linear_gradient("L").resize(size).point(lambda value: value // 5)
    return ImageChops.subtract(Image.new("RGB", size, colour), Image.merge("RGB", (shade, shade, shade)))


def landscape(size: tuple[int, int] = (1200, 900)) -> Image.Image:
    """Draw hills under a sky, without anybody."""
    width, height = size
    photo = background(size, (150, 190, 235))
    pen = ImageDraw.Draw(photo)
    for number, colour in enumerate(((92, 124, 92), (74, 104, 66), (58, 84, 46))):
        top = height * (0.45 + 0.15 * number)
        hill = [(x, top - height * 0.12 * ((x * (number + 2) / width + 0.3 * number) % 1)) for x in range(0, width, 4)]
        pen.polygon([(0, height), *hill, (width, height)], colour)
    for x in range(30, width, 90):
        pen.polygon([(x, height * 0.9), (x + 22, height * 0.72), (x + 44, height * 0.9)], (34, 58, 34))
    return grainy(photo)


def grainy(photo: Image.Image, strength: float = 6.0) -> Image.Image:
    """Add the grain of a camera's sensor."""
    tile, noise = _noise(strength), Image.new("L", photo.size)
    for at in itertools.product(range(0, photo.width, tile.width), range(0, photo.height, tile.height)):
        noise.paste(tile, at)
    return ImageChops.add(photo, Image.merge("RGB", (noise, noise, noise)), offset=-128)


@cache
def _noise(strength: float) -> Image.Image:
    return Image.effect_noise((600, 600), strength)


def blurred(photo: Image.Image, radius: float = 12.0) -> Image.Image:
    """Return the photo out of focus; the radius is in pixels."""
    return photo.filter(ImageFilter.GaussianBlur(radius))


def lit(photo: Image.Image, factor: float) -> Image.Image:
    """Return the photo under less light (below 1) or more (above 1)."""
    return ImageEnhance.Brightness(photo).enhance(factor)


def jpeg(photo: Image.Image, quality: int = 92) -> bytes:
    """Return a photo as a camera writes it."""
    out = io.BytesIO()
    photo.save(out, "JPEG", quality=quality)
    return out.getvalue()


def _soft(
    picture: Image.Image,
    colour: tuple[int, int, int],
    draw: Callable[..., object],
    blur: float,
    strength: float = 1.0,
) -> None:
    """Lay a colour over the picture where `draw` draws in white, with soft edges."""
    mask = Image.new("L", picture.size)
    draw(ImageDraw.Draw(mask))
    mask = mask.filter(ImageFilter.GaussianBlur(blur)).point(lambda value: round(value * strength))
    layer = Image.new("RGBA", picture.size, colour)
    layer.putalpha(mask)
    picture.alpha_composite(layer)


def _darker(colour: tuple[int, int, int], by: float) -> tuple[int, int, int]:
    red, green, blue = (round(part * by) for part in colour)
    return red, green, blue


def _lighter(colour: tuple[int, int, int], by: float) -> tuple[int, int, int]:
    red, green, blue = (round(255 - (255 - part) * by) for part in colour)
    return red, green, blue


def _shoulders(picture: Image.Image, person: Person) -> None:
    _soft(picture, person.shirt, lambda pen: pen.ellipse((30, 640, 570, 1400), 255), 2)
    _soft(picture, _darker(person.shirt, 0.6), lambda pen: pen.ellipse((200, 600, 400, 700), 255), 14, 0.8)


def _back_of_hair(picture: Image.Image, person: Person) -> None:
    _soft(picture, person.hair, lambda pen: pen.ellipse((128, 110, 472, 520), 255), 3)


def _neck(picture: Image.Image, person: Person) -> None:
    neck = _darker(person.skin, 0.82)
    _soft(picture, neck, lambda pen: pen.rounded_rectangle((232, 520, 368, 700), 50, 255), 3)
    _soft(picture, _darker(neck, 0.6), lambda pen: pen.ellipse((225, 520, 375, 625), 255), 16, 0.8)


def _face(picture: Image.Image, person: Person) -> None:
    skin = person.skin
    for left in (146, 424):
        _soft(picture, _darker(skin, 0.85), lambda pen, left=left: pen.ellipse((left, 350, left + 32, 440), 255), 2)
    _soft(picture, _darker(skin, 0.78), lambda pen: _oval(pen, 0), 2)
    _soft(picture, skin, lambda pen: _oval(pen, 26), 18)
    _soft(picture, _lighter(skin, 0.75), lambda pen: pen.ellipse((225, 220, 375, 310), 255), 26, 0.7)
    for left in (190, 340):
        cheek = _lighter(skin, 0.8)
        _soft(picture, cheek, lambda pen, left=left: pen.ellipse((left, 410, left + 70, 470), 255), 16, 0.6)
        _soft(
            picture, (200, 110, 100), lambda pen, left=left: pen.ellipse((left - 5, 430, left + 65, 490), 255), 18, 0.2
        )
    _soft(picture, _darker(skin, 0.72), lambda pen: pen.ellipse((262, 556, 338, 574), 255), 9, 0.5)


def _oval(pen: ImageDraw.ImageDraw, inside: int) -> None:
    pen.ellipse((160 + inside, 170 + inside, 440 - inside, 520 - inside), 255)
    pen.ellipse((178 + inside, 290 + inside, 422 - inside, 590 - inside), 255)


def _eyes(picture: Image.Image, person: Person) -> None:
    skin = person.skin
    for x in (235, 365):
        _soft(picture, _darker(skin, 0.6), lambda pen, x=x: pen.ellipse((x - 46, 342, x + 46, 404), 255), 12, 0.7)
        _soft(picture, (236, 232, 228), lambda pen, x=x: pen.ellipse((x - 31, 362, x + 31, 392), 255), 2)
        _soft(picture, person.eyes, lambda pen, x=x: pen.ellipse((x - 15, 361, x + 15, 391), 255), 1.5)
        _soft(picture, (14, 12, 12), lambda pen, x=x: pen.ellipse((x - 7, 369, x + 7, 383), 255), 1)
        _soft(picture, (255, 255, 255), lambda pen, x=x: pen.ellipse((x + 2, 368, x + 8, 374), 255), 1)
        _soft(picture, (40, 26, 22), lambda pen, x=x: pen.arc((x - 34, 356, x + 34, 404), 200, 340, 255, 7), 1.5)
        _soft(picture, _darker(skin, 0.55), lambda pen, x=x: pen.arc((x - 32, 352, x + 32, 396), 25, 155, 255, 3), 1.5)
        brow = _darker(person.hair, 0.9)
        _soft(picture, brow, lambda pen, x=x: pen.arc((x - 48, 316, x + 48, 400), 215, 325, 255, 13), 4, 0.9)


def _nose(picture: Image.Image, person: Person) -> None:
    skin = person.skin
    _soft(picture, _lighter(skin, 0.6), lambda pen: pen.rounded_rectangle((290, 350, 310, 455), 10, 255), 7, 0.7)
    for x in (268, 318):
        _soft(picture, _darker(skin, 0.7), lambda pen, x=x: pen.ellipse((x, 350, x + 14, 450), 255), 9, 0.5)
    _soft(picture, _darker(skin, 0.72), lambda pen: pen.ellipse((256, 448, 344, 486), 255), 8, 0.7)
    _soft(picture, _lighter(skin, 0.7), lambda pen: pen.ellipse((278, 438, 322, 470), 255), 8, 0.8)
    for x in (272, 312):
        _soft(picture, _darker(skin, 0.3), lambda pen, x=x: pen.ellipse((x, 466, x + 16, 477), 255), 2.5, 0.9)


def _mouth(picture: Image.Image, person: Person) -> None:
    lips = _mixed(person.skin, (160, 56, 60))
    _soft(picture, _darker(lips, 0.85), lambda pen: pen.ellipse((246, 504, 354, 530), 255), 3)
    _soft(picture, lips, lambda pen: pen.ellipse((256, 514, 344, 544), 255), 3)
    _soft(picture, _darker(lips, 0.35), lambda pen: pen.arc((240, 490, 360, 528), 20, 160, 255, 5), 1.5)
    _soft(picture, _lighter(lips, 0.7), lambda pen: pen.ellipse((278, 528, 322, 538), 255), 4, 0.7)


def _mixed(one: tuple[int, int, int], other: tuple[int, int, int]) -> tuple[int, int, int]:
    red, green, blue = ((a + b) // 2 for a, b in zip(one, other, strict=True))
    return red, green, blue


def _fringe(picture: Image.Image, person: Person) -> None:
    _soft(picture, person.hair, lambda pen: pen.chord((148, 132, 452, 400), 188, 352, 255), 6)
    shine = _lighter(person.hair, 0.8)
    _soft(picture, shine, lambda pen: pen.arc((190, 140, 420, 300), 210, 300, 255, 14), 10, 0.6)
