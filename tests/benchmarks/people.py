"""Measures the dry run and the import of fifty thousand people against reading the same file alone.

`python -m tests.benchmarks.people`: gunicorn with the project's own settings, its worker inside, gets the same table
for a dry run and for an import, as another program sends it. Meanwhile, every second, the list of employees is opened,
an employee is saved, and a face is captured at a simulated terminal that answers at once. The file is read alone first,
by the same child process, with nothing done for its rows. Memory is that of the serving process, and of the child
processes that read the table and the photos for it. With `--photos` a dry run of so many people with a photo each comes
last: drawn faces, as a phone takes them. The exit status is 1 when a target is missed: the seconds of the dry run, how
many rows a second are imported, the photos a second, the memory, how long others wait meanwhile, and how much longer it
takes to change somebody among all (a tenth of them) than among the first hundredth, while nobody else was here.
"""

import argparse
import csv
import io
import os
import statistics
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zipfile import ZipFile

import openpyxl
import requests
from flask import Flask
from requests_toolbelt import MultipartEncoder

from hikflask.services.imports.table.columns import recognised
from hikflask.services.spreadsheets.reader_process import inspect, read
from hikflask.simulator.faces import NAMES
from tests.benchmarks import made_people, memory
from tests.benchmarks.simulated import USER, Simulated
from tests.processes.processes import Served
from tests.support import drawn_faces
from tests.support.postgresql import Cluster, programs

MAX_SECONDS, MAX_MEGABYTES, MAX_WAIT, MIN_PHOTOS = 30.0, 250.0, 3.0, 2000 / 120
COUNT = 50_000
# Six minutes for all.
MIN_ROWS = COUNT / 360
# Somebody is changed among many in so many times the seconds that it takes among few, in the same run.
FEW_CHANGES, CHANGES, MAX_GROWTH = "few changes", "changes", 1.5
FORMATS = ("csv", "xlsx")
# What a photo of so many megapixels measures.
SIZES = {1: (900, 1200), 12: (3024, 4032)}
FACES = (drawn_faces.FAIR, drawn_faces.DARK, drawn_faces.RED_HAIRED)
MAX_PHOTOS_MEGABYTES = 4000
DATABASES = ("sqlite", "postgresql")
HEAD = ("Табельный номер", "ФИО", "Подразделение")
SAMPLE_SECONDS, PAUSE_SECONDS, POLL_SECONDS = 0.05, 1.0, 0.2
# Longer than any import here takes.
SECONDS = 3600
OPEN = {"waiting", "running"}
# What others do meanwhile.
PAGE, SAVE, CAPTURE = OTHERS = ("page", "save", "capture")


@dataclass
class Step:
    """One piece of work: seconds for so many rows or photos, and the most megabytes of the process and of its readers.

    `waits` are the seconds of each page, save and capture meanwhile.
    """

    name: str
    seconds: float = 0.0
    process: float = 0.0
    reader: float = 0.0
    rows: int = 0
    photos: int = 0
    waits: dict[str, list[float]] = field(default_factory=lambda: {other: [] for other in OTHERS})

    @property
    def rows_a_second(self) -> float:
        """How fast it is."""
        return self.rows / self.seconds


class Watched(Served):
    """The app as it is served, with its worker inside, and a terminal."""

    saved = 0

    def add_terminal(self, terminal: Simulated) -> None:
        """Add the terminal at which faces are captured."""
        access = {"name": "Вход", "url": terminal.url, "username": USER, "password": terminal.password}
        self._api("devices/", {**access, "fingerprint": terminal.fingerprint})
        self.terminal = terminal

    @contextmanager
    def watch(self, step: Step) -> Iterator[None]:
        """Within the block measure time and memory, and what others wait for who do something every second."""
        done = threading.Event()
        watchers = [threading.Thread(target=self._sample, args=(step, done))]
        for other, do in zip(OTHERS, (self._open_page, self._save, self._capture), strict=True):
            watchers.append(threading.Thread(target=self._repeat, args=(do, step.waits[other], done)))
        for watcher in watchers:
            watcher.start()
        began = time.perf_counter()
        try:
            yield
        finally:
            step.seconds = time.perf_counter() - began
            done.set()
            for watcher in watchers:
                watcher.join()

    def _sample(self, step: Step, done: threading.Event) -> None:
        (serving,) = memory.children(self._processes[0].pid)
        while not done.wait(SAMPLE_SECONDS):
            step.process = max(step.process, memory.megabytes(serving))
            step.reader = max(step.reader, sum(map(memory.megabytes, memory.children(serving))))

    def _repeat(self, do: Callable[[], float], waits: list[float], done: threading.Event) -> None:
        while not done.is_set():
            waits.append(do())
            done.wait(max(0.0, PAUSE_SECONDS - waits[-1]))

    def _open_page(self) -> float:
        began = time.perf_counter()
        session = self.http
        answer = requests.get(f"{self.url}/employees/", timeout=SECONDS, cookies=session.cookies, auth=session.auth)
        answer.raise_for_status()
        return time.perf_counter() - began

    def _save(self) -> float:
        self.saved += 1
        person = {"hikvision_id": f"S{self.saved}", "full_name": "Иванов Иван", "department": ""}
        return self._api("users/", person)

    def _capture(self) -> float:
        self.terminal.show_face(NAMES[0])
        return self._api("devices/1/start-face-capture", {})

    def _api(self, path: str, body: dict[str, Any]) -> float:
        began = time.perf_counter()
        by = {"Authorization": f"Bearer {self.token}"}
        requests.post(f"{self.url}/api/{path}", json=body, headers=by, timeout=SECONDS).raise_for_status()
        return time.perf_counter() - began

    def upload(self, table: bytes, *, dry_run: bool) -> dict[str, int]:
        """Import a table as another program does, and return what came of it once all is done."""
        url, form = f"{self.url}/api/users/import", {"dry_run": "true" if dry_run else "false"}
        answer = self.http.post(url, data=form, files={"file": ("people", table)}, timeout=SECONDS)
        answer.raise_for_status()
        return self._ended(answer.json()["job"]) if answer.status_code == 202 else answer.json()

    def check_photos(self, table: bytes, archive: Path) -> dict[str, int]:
        """Check a table with an archive of photos, and return what came of it once all is done."""
        with archive.open("rb") as photos:
            parts = {"dry_run": "true", "file": ("people", table), "photos": ("photos", photos)}
            form = MultipartEncoder(parts)
            head = {"Content-Type": form.content_type}
            answer = self.http.post(f"{self.url}/api/users/import", data=form, headers=head, timeout=SECONDS)
        answer.raise_for_status()
        return self._ended(answer.json()["job"]) if answer.status_code == 202 else answer.json()

    def _ended(self, job_id: int) -> dict[str, int]:
        while (job := self.http.get(f"{self.url}/api/jobs/{job_id}", timeout=SECONDS).json())["state"] in OPEN:
            time.sleep(POLL_SECONDS)
        counts: dict[str, int] = job["import"]
        return counts


def table(count: int, form: str, *, moved: bool = False) -> bytes:
    """A file with so many people; always the same ones. `moved`: each of them is in another department."""
    rows = [
        (str(100_000 + number), name, f"{department} бис" if moved else department)
        for number, (name, department) in enumerate(made_people.who(count))
    ]
    if form == "csv":
        text = io.StringIO()
        csv.writer(text, delimiter=";").writerows([HEAD, *rows])
        return text.getvalue().encode("cp1251")
    book, out = openpyxl.Workbook(write_only=True), io.BytesIO()
    people = book.create_sheet()
    for row in (HEAD, *rows):
        people.append(row)
    book.save(out)
    return out.getvalue()


def archive(path: Path, count: int, megapixels: int) -> None:
    """Write an archive with the photos of the first so many people: drawn faces, each in three sizes."""
    photos = [
        drawn_faces.jpeg(drawn_faces.grainy(drawn_faces.portrait(SIZES[megapixels], person, face=share), 3.0), 82)
        for person in FACES
        for share in (0.3, 0.4, 0.5)
    ]
    with ZipFile(path, "w") as file:
        for number in range(count):
            file.writestr(f"{100_000 + number}.jpg", photos[number % len(photos)])


def measure(
    count: int,
    form: str,
    database: str = DATABASES[0],
    *,
    dry_run_only: bool = False,
    photos: int = 0,
    megapixels: int = 12,
) -> list[Step]:
    """Read the file alone, then check it, import and change few of its people, import it, and change some.

    :param photos: so many are checked after that.
    """
    content = table(count, form)
    with TemporaryDirectory() as folder, Simulated("none") as terminal, _address(database) as address:
        steps = [_alone(content, Path(folder) / "table", count)]
        served = Watched(Path(folder), IMPORT_PHOTOS_LIMIT=str(MAX_PHOTOS_MEGABYTES), **address)
        served.start()
        try:
            served.add_terminal(terminal)
            served.upload(table(1, form), dry_run=True)
            few, some = max(count // 100, 1), max(count // 10, 1)
            for name, rows in {"dry run": count, FEW_CHANGES: few, "import": count, CHANGES: some}.items():
                if dry_run_only and name != "dry run":
                    continue
                is_change = name in {FEW_CHANGES, CHANGES}
                if name == FEW_CHANGES:
                    served.upload(table(few, form), dry_run=False)
                steps.append(step := Step(name, rows=rows))
                with served.watch(step):
                    found = served.upload(
                        table(rows, form, moved=True) if is_change else content, dry_run=name == "dry run"
                    )
                if found["new"] + found["changed"] != rows or (is_change and found["new"]):
                    raise RuntimeError(f"{name}: {found}")
            if photos:
                archive(Path(folder) / "photos.zip", photos, megapixels)
                steps.append(step := Step(f"photos of {megapixels} megapixels", photos=photos))
                with served.watch(step):
                    found = served.check_photos(table(photos, form), Path(folder) / "photos.zip")
                if found["wrong"]:
                    raise RuntimeError(f"{step.name}: {found}")
        finally:
            served.kill()
    return steps


@contextmanager
def _address(database: str) -> Iterator[dict[str, str]]:
    if database == "sqlite":
        yield {}
        return
    bin_folder = programs()
    if bin_folder is None:
        raise RuntimeError("PostgreSQL is not installed")
    cluster = Cluster(bin_folder)
    cluster.start()
    try:
        yield {"DATABASE_URL": cluster.create("people")}
    finally:
        cluster.stop()


def _alone(content: bytes, path: Path, count: int) -> Step:
    path.write_bytes(content)
    step, app, done = Step("reading alone", rows=count), Flask("alone"), threading.Event()
    app.config.update(IMPORT_FILE_LIMIT=500, UPLOAD_WAIT=10.0)

    def sample() -> None:
        while not done.wait(SAMPLE_SECONDS):
            step.reader = max([step.reader, *map(memory.megabytes, memory.children(os.getpid()))])

    sampling = threading.Thread(target=sample)
    sampling.start()
    began = time.perf_counter()
    with app.app_context():
        for _ in read(path, inspect(path, recognised)):
            pass
    step.seconds = time.perf_counter() - began
    done.set()
    sampling.join()
    return step


def report(steps: Sequence[Step], count: int, form: str) -> str:
    """The measurements as text."""
    alone = steps[0].seconds
    others = "".join(f"{f'{other}, ms':>12}{'at most':>8}" for other in OTHERS)
    lines = [f"{f'{count} people, {form}':<24}{'s':>8}{'times':>8}{'rows/s':>8}{'MB':>8}{'reader':>8}{others}"]
    for step in steps:
        waits = [[seconds * 1000 for seconds in step.waits[other]] or [0.0] for other in OTHERS]
        lines.append(
            f"{step.name:<24}{step.seconds:8.1f}{step.seconds / alone:8.1f}{step.rows_a_second:8.0f}{step.process:8.0f}"
            f"{step.reader:8.0f}"
            + "".join(f"{statistics.median(each):12.0f}{max(each):8.0f}" for each in waits)
            + (f"  {step.photos / step.seconds:.1f} photos a second" if step.photos else "")
        )
    return "\n".join(lines)


def missed(steps: Sequence[Step]) -> list[str]:
    """The targets that were missed, each as a sentence."""
    found = []
    few = next((step for step in steps if step.name == FEW_CHANGES), None)
    for step in steps[1:]:
        is_change = step.name in {FEW_CHANGES, CHANGES}
        growth = few.rows_a_second / step.rows_a_second if few and step.name == CHANGES else 1.0
        targets = {
            f"{step.name}: {step.seconds:.1f} s, not {MAX_SECONDS:.0f}": step.name != "dry run"
            or step.seconds <= MAX_SECONDS,
            f"{step.name}: {step.photos / step.seconds:.1f} photos a second, not {MIN_PHOTOS:.1f}": not step.photos
            or step.photos / step.seconds >= MIN_PHOTOS,
            f"{step.name}: {step.rows_a_second:.1f} rows a second, not {MIN_ROWS:.1f}": is_change
            or not step.rows
            or step.rows_a_second >= MIN_ROWS,
            f"{step.name}: {growth:.1f} times as long for a row as among few, not {MAX_GROWTH}": growth <= MAX_GROWTH,
            f"{step.name}: {step.process:.0f} MB, not {MAX_MEGABYTES:.0f}": step.process <= MAX_MEGABYTES,
            f"{step.name}: {step.reader:.0f} MB for the reader, not {MAX_MEGABYTES:.0f}": step.reader <= MAX_MEGABYTES,
        }
        for other, waits in step.waits.items():
            targets[f"{step.name}: a {other} took {max(waits):.1f} s, not {MAX_WAIT:.0f}"] = max(waits) <= MAX_WAIT
        found += [sentence for sentence, reached in targets.items() if not reached]
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.people", description=__doc__.partition("\n")[0])
    parser.add_argument("--count", type=int, default=COUNT, help="of people (default: %(default)s)")
    parser.add_argument("--format", choices=FORMATS, default=FORMATS[0], help="of the file (default: %(default)s)")
    parser.add_argument("--database", choices=DATABASES, default=DATABASES[0], help="(default: %(default)s)")
    parser.add_argument("--dry-run-only", action="store_true", help="without the import, which takes longest")
    parser.add_argument("--photos", type=int, default=0, help="so many photos are checked, too")
    parser.add_argument("--megapixels", type=int, choices=SIZES, default=12, help="of each (default: %(default)s)")
    options = parser.parse_args(arguments)
    if options.count < 1:
        parser.error("a count of 1 or more")
    steps = measure(
        options.count,
        options.format,
        options.database,
        dry_run_only=options.dry_run_only,
        photos=options.photos,
        megapixels=options.megapixels,
    )
    print(report(steps, options.count, options.format))
    wrong = missed(steps)
    for sentence in wrong:
        print(f"missed: {sentence}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
