"""Runs a module of hikflask as a program, without making the app: `python without_app.py MODULE [ARGUMENT…]`.

The package itself would load Flask and SQLAlchemy, which takes a second and 60 MB in each child process. So an empty
package of this name stands in for it, whose modules are found as usual.
"""

import runpy
import sys
from pathlib import Path
from types import ModuleType

PACKAGE = Path(__file__).resolve().parents[2]


def main() -> None:
    """Run the module that the first argument names; the others are its arguments."""
    package = ModuleType(PACKAGE.name)
    package.__path__ = [str(PACKAGE)]
    sys.modules[PACKAGE.name] = package
    del sys.argv[0]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
