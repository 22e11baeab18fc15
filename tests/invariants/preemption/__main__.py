"""Tries each pair of an actor and another one at each statement of the actor, and tells which promises are broken.

`python -m tests.invariants.preemption [postgresql|sqlite] [ACTOR] [OTHER]`, the last two as patterns of names. Of an
actor with very many statements only some are tried (--most). The exit status is 1 when anything is broken.
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
from tests.conftest import close
from tests.invariants.preemption.actors import ACTORS, OTHERS
from tests.invariants.preemption.laboratory import DATABASE, SETTINGS, Laboratory
from tests.invariants.preemption.point import try_pair
from tests.invariants.world import passing_time
from tests.support.migrated import migrate
from tests.support.owned import allow_tests_to_write
from tests.support.postgresql import Cluster, programs
from tests.support.wire import InProcess


@contextmanager
def cluster_of(database: str) -> Iterator[Cluster | None]:
    """A PostgreSQL server, unless the database is SQLite."""
    if database == "sqlite":
        yield None
        return
    bin_folder = programs()
    assert bin_folder, "PostgreSQL is not installed"
    cluster = Cluster(bin_folder)
    cluster.start()
    try:
        yield cluster
    finally:
        cluster.stop()


@contextmanager
def laboratory(folder: Path, cluster: Cluster | None) -> Iterator[Laboratory]:
    """A laboratory with a migrated database."""
    if cluster is None:
        migrate(folder)
    address = {"DATABASE_URL": cluster.create(DATABASE)} if cluster else {}
    app = create_app({**SETTINGS, **address, "INSTANCE_PATH": str(folder)})
    app.extensions["terminal_transport"] = InProcess()
    if cluster:
        with app.app_context():
            upgrade()
    lab = Laboratory(app, cluster)
    with passing_time(), pytest.MonkeyPatch.context() as patch:
        allow_tests_to_write(patch)
        yield lab
    lab.close()
    close(app)


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
    is_broken = False
    with (
        TemporaryDirectory() as folder,
        cluster_of(given.database) as cluster,
        laboratory(Path(folder), cluster) as lab,
    ):
        for actor, other in pairs:
            tried, broken = try_pair(lab, actor, other, given.most)
            print(f"{actor} × {other}: {tried} moments", *broken, sep="\n    ", flush=True)
            is_broken |= bool(broken)
    return int(is_broken)


if __name__ == "__main__":
    sys.exit(main())
