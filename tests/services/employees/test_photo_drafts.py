"""Uploads that are looked at before they are saved: their owner's alone, never changed, gone in an hour."""

import io
import stat
from pathlib import Path
from unittest.mock import Mock

import pytest
from PIL import Image

from hikflask.extensions import db
from hikflask.models import Photo
from hikflask.models.columns import database_now
from hikflask.services.core.errors import BadPhoto, ServiceError
from hikflask.services.employees import photo_drafts as drafts
from hikflask.services.employees.photo_drafts import PhotoDraft
from hikflask.services.photos import storage
from tests.support.captures import FACE
from tests.support.retention import age, files, forget

pytestmark = pytest.mark.usefixtures("context")

ANNA, BORIS = "Анна", "Борис"
SIZE = (400, 300)


def lying(size: tuple[int, int] = SIZE) -> bytes:
    """A photo that lies on its side: red at the left."""
    picture = Image.new("RGB", size, "white")
    picture.paste("red", (0, 0, size[0] // 2, size[1]))
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()


def draft(content: bytes = FACE, number: str = "100222", owner: str = ANNA) -> PhotoDraft:
    return drafts.make(io.BytesIO(content), number, owner)


def shown(one: PhotoDraft) -> Image.Image:
    """What its owner sees."""
    picture = drafts.picture(one.token, ANNA)
    assert picture is not None
    return Image.open(io.BytesIO(picture))


def is_red(picture: Image.Image, across: float, down: float) -> bool:
    red, green, _ = picture.getpixel((int(picture.width * across), int(picture.height * down)))  # type: ignore[misc]
    return bool(red > 200 and green < 60)


def test_draft_is_found_by_its_token_and_shows_what_would_be_saved() -> None:
    made = draft(lying())

    assert drafts.find(made.token, ANNA) == made
    assert shown(made).size == SIZE
    photo = drafts.owned(made.token, ANNA)[0]
    assert storage.sha256(drafts.picture(made.token, ANNA) or b"") == photo.sha256
    # Others on the machine cannot read the uploaded file.
    assert stat.S_IMODE(storage.beside(photo).stat().st_mode) == 0o600


def test_nobody_else_sees_changes_drops_or_saves_it() -> None:
    made = draft()

    assert drafts.find(made.token, BORIS) is None
    assert drafts.picture(made.token, BORIS) is None
    for refused in (
        lambda: drafts.owned(made.token, BORIS)[0],
        lambda: drafts.changed(made.token, "1", BORIS, turn=90),
    ):
        with pytest.raises(ServiceError, match=r"^photo_draft_gone$"):
            refused()
    drafts.drop(made.token, BORIS)
    assert drafts.find(made.token, ANNA) == made


def test_token_that_is_guessed_in_part_or_is_none_finds_nothing() -> None:
    token = draft().token
    number, _, secret = token.partition("-")

    for wrong in ("", number, f"{number}-", f"{number}-{'A' * 22}", f"2-{secret}", f"0{token}", f"{token}\n", secret):
        assert drafts.find(wrong, ANNA) is None, wrong
        assert drafts.picture(wrong, ANNA) is None, wrong
    assert drafts.find(f"{'9' * 30}-{secret}", ANNA) is None


def test_turning_makes_another_draft_and_leaves_the_first_one() -> None:
    first = draft(lying())

    turned = drafts.changed(first.token, "100222", ANNA, turn=90)
    back = drafts.changed(turned.token, "100222", ANNA, turn=270)

    assert [one.turn for one in (first, turned, back)] == [0, 90, 0]
    assert shown(turned).size == (SIZE[1], SIZE[0])
    assert is_red(shown(first), 0.2, 0.5)
    assert is_red(shown(turned), 0.5, 0.2)
    assert is_red(shown(back), 0.2, 0.5)


def test_turned_picture_is_made_of_the_uploaded_file() -> None:
    content = lying((1500, 1000))  # More than is kept.
    first = draft(content)

    turned = drafts.changed(first.token, "100222", ANNA, turn=90)

    for one in (first, turned):
        assert storage.beside(drafts.owned(one.token, ANNA)[0]).read_bytes().endswith(content)


def test_crop_is_kept_while_turning_and_taken_back() -> None:
    first = draft()

    cropped = drafts.changed(first.token, "100222", ANNA, crop=True)
    turned = drafts.changed(cropped.token, "100222", ANNA, turn=90)
    whole = drafts.changed(turned.token, "100222", ANNA, crop=False)

    assert [one.cropped for one in (first, cropped, turned, whole)] == [False, True, True, False]
    assert whole.turn == 90


def test_small_picture_is_found_to_be_small() -> None:
    made = draft(lying((200, 150)))

    (small,) = [one for one in made.findings if one.code == "photo_small"]
    assert (small.params["width"], small.params["height"]) == (200, 150)


def test_no_picture_leaves_nothing() -> None:
    with pytest.raises(BadPhoto):
        draft(b"text")

    assert files() == []


@pytest.mark.both_databases
def test_dropped_draft_is_gone_with_its_files() -> None:
    made = draft()

    drafts.drop(made.token, ANNA)

    assert files() == []
    assert drafts.find(made.token, ANNA) is None
    assert db.session.query(Photo).count() == 0


@pytest.mark.both_databases
def test_draft_is_gone_in_an_hour() -> None:
    made = draft()
    forget()
    assert len(files()) == 2

    db.session.execute(db.update(Photo).values(forgotten_at=database_now(-1)))
    db.session.commit()
    assert drafts.find(made.token, ANNA) is None
    assert drafts.picture(made.token, ANNA) is None
    with pytest.raises(ServiceError, match=r"^photo_draft_gone$"):
        drafts.owned(made.token, ANNA)[0]
    forget()
    assert files() == []
    assert db.session.query(Photo).count() == 0


def test_process_that_dies_before_the_upload_is_stored_leaves_nothing_for_good(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(Path, "rename", Mock(side_effect=KeyboardInterrupt))
        broken.setattr(Path, "unlink", Mock(side_effect=KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            draft()

    age(Photo, "forgotten_at", 1.0)
    forget()
    assert files() == []


def test_draft_is_saved_once() -> None:
    photo = drafts.owned(draft().token, ANNA)[0]

    drafts.save(photo)
    db.session.commit()

    with pytest.raises(ServiceError, match=r"^photo_draft_gone$"):
        drafts.save(photo)


def test_nobody_fills_the_disk_with_drafts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drafts, "MAX_DRAFTS_EACH", 2)
    others = draft(owner=BORIS)
    tokens = [draft().token for _ in range(3)]

    kept = [drafts.find(token, ANNA) is not None for token in tokens]

    assert kept == [False, True, True]
    assert drafts.find(others.token, BORIS) is not None
    assert len(files()) == 2 * 3
