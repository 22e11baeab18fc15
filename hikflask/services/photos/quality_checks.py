"""What a photo must be so that terminals take it: each check returns its findings. The thresholds are here.

Sharpness and light are measured with Pillow alone, in the face where one was found, else in the middle of the picture.
"""

from collections.abc import Iterator

from PIL import Image, ImageFilter, ImageOps, ImageStat

from hikflask.services.photos import findings
from hikflask.services.photos.findings import Finding

# Pixels of the longer side. Below, terminals fail to model the face (one client), and that of an ordinary portrait has
# less than its 80 pixels; manuals of terminals and hikflask's own pictures begin at 400 x 300.
MIN_SIDE = 400
# Sharpness is the variance of the Laplacian where the face, or the middle of the picture, is this wide (pixels): about
# as large as terminals analyse it, so that a large photo may be softer than a small one. The drawn faces of the tests
# have 60 to 80 in focus, and 15 when they are blurred by a hundredth of the face's width, which a person sees at once.
SHARP_WIDTH = 160
MIN_SHARPNESS = 15.0
# Light, 0 (black) to 255 (white). Well-lit dark skin has a mean of about 60, fair skin in ordinary light up to 200.
# The limits are outside of both on purpose: what is said about a photo must not depend on whose it is.
MIN_LIGHT, MAX_LIGHT = 40.0, 215.0
# The share of pixels that may be burnt out, or black, in a face: they show nothing of it.
BURNT_OUT, BLACK = 250, 5
MAX_CLIPPED = 0.25
# The part of a picture that is looked at when no face is known: each side of it as a share.
MIDDLE = 0.6
Box = tuple[int, int, int, int]
# Takes the grain of a sensor away before the Laplacian, which would take it for sharpness.
GRAIN = ImageFilter.GaussianBlur(1)
LAPLACIAN = ImageFilter.Kernel((3, 3), (0, 1, 0, 1, -4, 1, 0, 1, 0), scale=1, offset=128)


def check_picture(picture: Image.Image, face: Box | None = None) -> list[Finding]:
    """Return what is wrong with the size, sharpness and light of a picture, in the box of the face if that is known."""
    width, height = picture.size
    left, top = int(width * (1 - MIDDLE) / 2), int(height * (1 - MIDDLE) / 2)
    part = picture.crop(face or (left, top, width - left, height - top)).convert("L")
    small = {"width": width, "height": height, "least": MIN_SIDE}
    size = [Finding(findings.SMALL, small, serious=True)] if max(picture.size) < MIN_SIDE else []
    return [*size, *_sharpness(part), *_light(part)]


def _sharpness(grey: Image.Image) -> Iterator[Finding]:
    """Find that a grey picture of a face is blurred."""
    small = grey.copy()
    small.thumbnail((SHARP_WIDTH, SHARP_WIDTH * 2))
    if min(small.size) <= 2:
        return
    # Stretched first: what is dark is not blurred for that. The filter leaves the outermost pixels as they are, so
    # these are cut off.
    stretched = ImageOps.autocontrast(small, cutoff=1)
    edges = stretched.filter(GRAIN).filter(LAPLACIAN).crop((1, 1, small.width - 1, small.height - 1))
    if ImageStat.Stat(edges).var[0] < MIN_SHARPNESS:
        yield Finding(findings.BLURRED)


def _light(grey: Image.Image) -> Iterator[Finding]:
    """Find that a grey picture of a face is too dark or too bright."""
    histogram = grey.histogram()
    pixels = grey.width * grey.height
    mean = sum(shade * count for shade, count in enumerate(histogram)) / pixels
    if mean < MIN_LIGHT or sum(histogram[: BLACK + 1]) > MAX_CLIPPED * pixels:
        yield Finding(findings.DARK)
    elif mean > MAX_LIGHT or sum(histogram[BURNT_OUT:]) > MAX_CLIPPED * pixels:
        yield Finding(findings.BRIGHT)
