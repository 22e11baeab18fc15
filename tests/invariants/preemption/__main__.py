"""Tries each pair of an actor and another one at each statement of the actor, and tells which promises are broken.

`python -m tests.invariants.preemption [postgresql|sqlite] [ACTOR] [OTHER]`, the last two as patterns of names. Of an
actor with very many statements only some are tried (--most). The exit status is 1 when anything is broken, when an
actor applied nothing in any pair, and when another one did nothing in the pairs with all actors.
"""

import argparse
import itertools
import logging
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from flask_migrate import upgrade

from hikflask import create_app
from tests.invariants.preemption.laboratory import DATABASE, SETTINGS, laboratory
from tests.invariants.preemption.point import ACTORS, OTHERS, try_pair
from tests.support.apps import close
from tests.support.migrated import migrate
from tests.support.owned import allow_tests_to_write
from tests.support.postgresql import Cluster, programs


@contextmanager
def cluster_of(database: str, folder: Path) -> Iterator[Cluster | None]:
    """A PostgreSQL server with a migrated database, or one in the folder, if it is SQLite."""
    if database == "sqlite":
        migrate(folder)
        yield None
        return
    bin_folder = programs()
    assert bin_folder, "PostgreSQL is not installed"
    cluster = Cluster(bin_folder)
    cluster.start()
    try:
        app = create_app({**SETTINGS, "DATABASE_URL": cluster.create(DATABASE), "INSTANCE_PATH": str(folder)})
        with app.app_context():
            upgrade()
        close(app)
        yield cluster
    finally:
        cluster.stop()


def main() -> int:
    """Try the pairs that are asked for, and return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("database", nargs="?", default="postgresql", choices=["postgresql", "sqlite"])
    parser.add_argument("actor", nargs="?", default=re.compile(""), type=re.compile)
    parser.add_argument("other", nargs="?", default=re.compile(""), type=re.compile)
    parser.add_argument("--most", type=int, default=60, help="statements of an actor (default: %(default)s)")
    given = parser.parse_args()
    pairs = itertools.product(filter(given.actor.search, ACTORS), filter(given.other.search, OTHERS))
    logging.disable(logging.CRITICAL)
    is_broken, applied = False, set[str]()
    with (
        TemporaryDirectory() as folder,
        cluster_of(given.database, Path(folder)) as cluster,
        pytest.MonkeyPatch.context() as patch,
        laboratory(Path(folder), cluster) as lab,
    ):
        allow_tests_to_write(patch)
        for actor, other in pairs:
            tried = try_pair(lab, actor, other, given.most)
            idle = "".join(f", nothing for {name} to do" for name in (actor, other) if name not in tried.applied)
            print(f"{actor} × {other}: {tried.moments} moments{idle}", *tried.broken, sep="\n    ", flush=True)
            is_broken |= bool(tried.broken)
            applied |= tried.applied
    tried_with_all = [] if given.actor.pattern else filter(given.other.search, OTHERS)
    idlers = [name for name in (*filter(given.actor.search, ACTORS), *tried_with_all) if name not in applied]
    print(*(f"{name} never applies anything, so its pairs prove nothing" for name in idlers), sep="\n")
    return int(is_broken or bool(idlers))


if __name__ == "__main__":
    sys.exit(main())
