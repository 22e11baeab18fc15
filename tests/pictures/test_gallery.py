"""When a picture counts as the page's, and when it is written anew."""

import io
from pathlib import Path

import pytest
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from tests.pictures.gallery import Gallery, alike

SIZE = (1536, 768)


def page(left: int = 240, colour: str = "#3355cc") -> Image.Image:
    """A page with a title and a button."""
    picture = Image.new("RGB", SIZE, "#f7f8fb")
    pen = ImageDraw.Draw(picture)
    pen.text((24, 24), "Employees", "black", font_size=40)
    pen.rounded_rectangle((left, 600, left + 200, 660), 8, colour)
    return picture


def png(picture: Image.Image) -> bytes:
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()


def test_other_smoothing_of_letters_makes_no_other_picture() -> None:
    assert alike(page(), page().filter(ImageFilter.GaussianBlur(0.8)))
    assert alike(page(), ImageChops.offset(page(), 1, 0))


@pytest.mark.parametrize(
    "other", [page(left=300), page(colour="#33cc55"), Image.new("RGB", SIZE, "#f7f8fb"), page().crop((0, 0, 900, 768))]
)
def test_what_moved_or_has_another_colour_or_size_is_another_picture(other: Image.Image) -> None:
    assert not alike(page(), other)


def keep(docs: Path, picture: Image.Image, *words: str, renew: bool) -> Gallery:
    """Draw a page of these words, as draw() does."""
    gallery = Gallery("en", renew=renew, docs=docs)
    gallery.folder.mkdir(parents=True, exist_ok=True)
    gallery.drawn["page"] = list(words)
    gallery._keep("page", gallery.folder / "page-light.webp", png(picture))
    gallery._keep("page", gallery.folder / "page-dark.webp", png(picture))
    gallery.finish()
    return gallery


def test_picture_is_written_anew_only_where_words_or_looks_differ(tmp_path: Path) -> None:
    gallery = keep(tmp_path, page(), "Employees", renew=True)
    file = gallery.folder / "page-light.webp"
    first = file.read_bytes()

    keep(tmp_path, page().filter(ImageFilter.GaussianBlur(0.8)), "Employees", renew=True)
    assert file.read_bytes() == first
    keep(tmp_path, page().filter(ImageFilter.GaussianBlur(0.8)), "Employees!", renew=True)
    assert file.read_bytes() != first


def test_comparing_names_what_differs_and_writes_nothing(tmp_path: Path) -> None:
    gallery = keep(tmp_path, page(), "Employees", renew=True)
    (gallery.folder / "old-light.webp").write_bytes(b"")
    before = {file: file.read_bytes() for file in gallery.folder.iterdir()}

    assert keep(tmp_path, page(left=900), "Employees", "Add", renew=False).wrong == [
        "page-light.webp: the page looks otherwise, or there is no picture",
        "page-dark.webp: the page looks otherwise, or there is no picture",
        "page: the words [] are ['Add'] now",
        "old-light.webp is drawn no more",
    ]
    assert {file: file.read_bytes() for file in gallery.folder.iterdir()} == before
