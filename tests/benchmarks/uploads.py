"""Measures the memory that uploads of the largest picture take, many at once, and the time of an ordinary photo.

`python -m tests.benchmarks.uploads`: gunicorn with the project's own settings gets 16 times the same small file, whose
picture of 40 megapixels is the largest that is taken; 503 is what those hear whose turn does not come in time. The exit
status is 1 when a target is missed.
"""

import argparse
import io
import statistics
import struct
import sys
import threading
import time
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import requests
from PIL import Image

from tests.benchmarks import memory
from tests.processes.processes import Served

MAX_MEGABYTES = 700.0
MAX_GROWTH = 50.0
MAX_INPUT_SIDE = 6300
ORDINARY = (4032, 3024)
TRIES = 5
# Threads of gunicorn that are left for everybody else: HIKFLASK_THREADS is 24.
MAX_COUNT = 23
TAKEN_OR_LATER = {requests.codes.ok, requests.codes.service_unavailable}
SAMPLE_SECONDS = 0.01
# Until a worker that has answered everything is at rest.
REST_SECONDS = 1.0
SECONDS = 120


@dataclass
class Measured:
    """Memory of the serving process and what it started, in megabytes; times in seconds."""

    before: float
    after: float = 0.0
    peak: float = 0.0
    took: float = 0.0
    health: float = 0.0
    ordinary: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)


class Watched(Served):
    """The app as it is served, and the memory of its serving process and of what that one has started."""

    def megabytes(self) -> float:
        """Return the resident memory of them all, now."""
        (worker,) = memory.children(self._processes[0].pid)
        return sum(map(memory.megabytes, [worker, *memory.children(worker)]))

    @contextmanager
    def watch(self, found: Measured) -> Iterator[None]:
        """Write the most memory that is seen within the block into `found`."""
        done = threading.Event()

        def sample() -> None:
            while not done.wait(SAMPLE_SECONDS):
                found.peak = max(found.peak, self.megabytes())

        sampling = threading.Thread(target=sample)
        sampling.start()
        try:
            yield
        finally:
            done.set()
            sampling.join()

    def employee(self, number: str) -> int:
        """Add an employee."""
        wanted = {"hikvision_id": number, "full_name": "Иванов Иван", "department": ""}
        answer = self.http.post(f"{self.url}/api/users/", json=wanted, timeout=SECONDS)
        answer.raise_for_status()
        return int(answer.json()["id"])

    def upload(self, picture: bytes, employee_id: int) -> int:
        """Upload a photo as another program would, over a connection of its own, and return the answer's status."""
        url = f"{self.url}/api/users/{employee_id}/photo"
        answer = requests.post(url, files={"photo": picture}, auth=self.http.auth, timeout=SECONDS)
        return answer.status_code

    def health(self) -> float:
        """Return how many seconds the service takes to say that it is well."""
        began = time.perf_counter()
        self.http.get(f"{self.url}/health", timeout=SECONDS).raise_for_status()
        return time.perf_counter() - began


def largest() -> bytes:
    """The largest picture as a PNG of 309 KB: 6300 × 6300, with transparency, 16 bits each, all of one colour."""
    packer, row = zlib.compressobj(9), bytes(1 + MAX_INPUT_SIDE * 8)
    rows = b"".join(packer.compress(row) for _ in range(MAX_INPUT_SIDE)) + packer.flush()
    head = struct.pack(">IIBBBBB", MAX_INPUT_SIDE, MAX_INPUT_SIDE, 16, 6, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", head) + _chunk(b"IDAT", rows) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def ordinary() -> bytes:
    """A photo of 12 megapixels, of some 2 MB, as a phone takes it."""
    spots = Image.effect_noise((ORDINARY[0] // 6, ORDINARY[1] // 6), 80).convert("RGB")
    out = io.BytesIO()
    spots.resize(ORDINARY, Image.Resampling.BICUBIC).save(out, "JPEG", quality=85)
    return out.getvalue()


def measure(count: int, picture: bytes, photo: bytes) -> Measured:
    """Upload the photo a few times, one after the other, then the picture so many times at once."""
    with TemporaryDirectory() as folder:
        served = Watched(Path(folder))
        served.start()
        try:
            return _measure(served, count, picture, photo)
        finally:
            served.kill()


def _measure(served: Watched, count: int, picture: bytes, photo: bytes) -> Measured:
    employees = [served.employee(f"U{number}") for number in range(count)]
    ordinary_times = [_timed(served, photo, employee) for employee in employees[:TRIES]]
    found = Measured(before=served.megabytes(), ordinary=ordinary_times)
    began = time.perf_counter()
    with served.watch(found), ThreadPoolExecutor(count) as programs:
        answers = programs.map(partial(served.upload, picture), employees)
        while not found.peak:  # The uploads have begun.
            time.sleep(SAMPLE_SECONDS)
        found.health = max(served.health() for _ in range(TRIES))
        found.statuses.update(answers)
    found.took = time.perf_counter() - began
    time.sleep(REST_SECONDS)
    found.after = served.megabytes()
    return found


def _timed(served: Watched, photo: bytes, employee_id: int) -> float:
    began = time.perf_counter()
    status = served.upload(photo, employee_id)
    if status != requests.codes.ok:
        raise RuntimeError(f"an ordinary photo was answered {status}")
    return time.perf_counter() - began


def report(found: Measured, picture: bytes, photo: bytes) -> str:
    """The measurements as text."""
    statuses = ", ".join(f"{count} × {status}" for status, count in sorted(found.statuses.items()))
    return "\n".join(
        [
            f"largest picture: {len(picture) / 1024:.0f} KB, {statuses} in {found.took:.1f} s",
            f"memory: {found.before:.0f} MB before, {found.peak:.0f} MB at most, {found.after:.0f} MB after",
            f"health meanwhile: {found.health * 1000:.0f} ms at most",
            f"ordinary photo: {len(photo) / 1024:.0f} KB, {statistics.median(found.ordinary) * 1000:.0f} ms",
        ]
    )


def missed(found: Measured) -> list[str]:
    """The targets that were missed, each as a sentence."""
    growth = found.after - found.before
    targets = {
        f"{found.peak:.0f} MB at most, not {MAX_MEGABYTES:.0f}": found.peak <= MAX_MEGABYTES,
        f"{growth:.0f} MB more afterwards, not {MAX_GROWTH:.0f}": growth <= MAX_GROWTH,
        f"answers {sorted(found.statuses)}, not 200 or 503": set(found.statuses) <= TAKEN_OR_LATER,
        "no picture was taken": requests.codes.ok in found.statuses,
    }
    return [sentence for sentence, reached in targets.items() if not reached]


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.uploads", description=__doc__.partition("\n")[0])
    parser.add_argument("--count", type=int, default=16, help="uploads at once (default: %(default)s)")
    options = parser.parse_args(arguments)
    if not 1 <= options.count <= MAX_COUNT:
        parser.error(f"a count of 1 to {MAX_COUNT}: gunicorn has one thread more")
    picture, photo = largest(), ordinary()
    found = measure(options.count, picture, photo)
    print(report(found, picture, photo))
    wrong = missed(found)
    for sentence in wrong:
        print(f"missed: {sentence}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
