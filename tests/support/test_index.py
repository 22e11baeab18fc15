"""The page about what tests share has each of its modules, once."""

import re
from pathlib import Path

FOLDER = Path(__file__).parent


def test_each_module_has_its_line() -> None:
    listed = re.findall(r"^\| `(\w+)` \| \S", (FOLDER / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    modules = [path.stem for path in FOLDER.glob("*.py") if not path.stem.startswith(("test_", "__"))]

    assert sorted(listed) == sorted(modules)
