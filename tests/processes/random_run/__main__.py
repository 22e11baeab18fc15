"""The command: see the head of the package."""

import argparse
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.processes import random_run
from tests.processes.random_run.run import Run
from tests.support.postgresql import Cluster, programs
from tests.support.receivers import receiving


def run_for(seconds: float, database: str, seed: int) -> list[str]:
    """Run on a fresh database, print what was done, and return what was broken."""
    with TemporaryDirectory(prefix="random-run-") as folder, receiving() as receiver:
        cluster, address = None, {}
        if database == "postgresql":
            bin_folder = programs()
            assert bin_folder, "PostgreSQL is not installed"
            cluster = Cluster(bin_folder)
            cluster.start()
            address = {"DATABASE_URL": cluster.create("random_run")}
        run = Run(Path(folder), address, seed, receiver)
        try:
            run.start()
            run.go(seconds)
            print(", ".join(f"{name} {count}" for name, count in sorted(run.counted.items())))
            return run.world.problems
        finally:
            run.stop()
            if cluster:
                cluster.stop()


def main() -> int:
    """Run, and return the exit status."""
    parser = argparse.ArgumentParser(
        description=random_run.__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    problems = run_for(asked.seconds, asked.database, asked.seed)
    print("\n".join(f"BROKEN: {one}" for one in problems) or "Nothing was broken.")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
