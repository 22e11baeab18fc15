"""A module of the package runs as a program without the package, with its own arguments."""

import subprocess

from hikflask.services.photos import without_app
from hikflask.services.photos.jpeg_process import PYTHON


def test_module_runs_alone_and_finds_its_neighbours() -> None:
    # jpeg.py turns what it reads into a JPEG, and says by its exit status that this is none.
    done = subprocess.run(
        [*PYTHON, "-X", "importtime", without_app.__file__, "hikflask.services.photos.jpeg"],
        input=b"no picture",
        capture_output=True,
        check=False,
    )

    assert done.returncode == 3
    assert b" PIL.Image\n" in done.stderr
    assert b" flask\n" not in done.stderr
