"""The table of docs/en/support.md says what the project declares, what the image is of, and what the tests have."""

import re
import tomllib
from pathlib import Path

import yaml

from hikflask.version import VERSION

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
COMPOSE = yaml.safe_load((ROOT / "deploy/compose.yaml").read_text(encoding="utf-8"))
CONTAINERFILE = (ROOT / "deploy/Containerfile").read_text(encoding="utf-8")
# In tests/installation: of test_debian.py, and of the image in test_image.py.
DEBIAN = {"12": "bookworm", "13": "trixie"}


def table(language: str) -> dict[str, list[str]]:
    """What a version of each thing is at least, what is tested, and what is not."""
    text = (ROOT / f"docs/{language}/support.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\S.*) \|$", text.partition("\n* ")[0], re.MULTILINE)
    return {name: cells for name, *cells in (row.split(" | ") for row in rows)}


def numbers_tested(name: str) -> list[str]:
    return numbers(table("en")[name][1])


def numbers(cell: str) -> list[str]:
    return re.findall(r"\d+(?:\.\d+)*", cell)


def test_both_languages_have_the_same_versions() -> None:
    english, russian = (
        [[numbers(cell) for cell in cells] for cells in table(language).values()] for language in ("en", "ru")
    )

    assert english == russian
    assert [name for name in table("ru") if name in ("Debian", "Python", "PostgreSQL", "SQLite", "nginx")] == [
        name for name in table("en") if name in ("Debian", "Python", "PostgreSQL", "SQLite", "nginx")
    ]


def test_python_is_as_declared() -> None:
    least, with_tests, without = table("en")["Python"]
    declared = re.findall(r"Programming Language :: Python :: (3\.\d+)", "\n".join(PROJECT["classifiers"]))

    assert PROJECT["requires-python"] == f">={least}"
    assert sorted([*numbers(with_tests), *numbers(without)]) == declared


def test_image_is_of_a_debian_and_a_python_that_are_tested() -> None:
    ((python, suite),) = set(
        re.findall(r"^FROM docker\.io/library/python:([\d.]+)-slim-(\w+)", CONTAINERFILE, re.MULTILINE)
    )

    assert table("en")["Image of a container"][0] == f"`python:{python}-slim-{suite}`"
    assert python in numbers_tested("Python")
    assert suite == DEBIAN[max(numbers_tested("Debian"))]
    assert COMPOSE["services"]["database"]["image"].rpartition(":")[2] in numbers_tested("PostgreSQL")
    assert f"postgresql-client-{max(numbers_tested('PostgreSQL'))} " in CONTAINERFILE


def test_each_debian_is_in_a_test() -> None:
    of_debian, of_image = (
        (ROOT / f"tests/installation/{name}").read_text(encoding="utf-8")
        for name in ("test_debian.py", "test_image.py")
    )

    assert numbers_tested("Debian") == list(DEBIAN)
    assert f'os.environ.get("DEBIAN", "{DEBIAN["12"]}")' in of_debian
    assert f'"{DEBIAN["13"]}"' in of_image


def test_guides_install_this_version() -> None:
    for language in ("en", "ru"):
        guide = (ROOT / f"docs/{language}/install.md").read_text(encoding="utf-8")
        assert set(re.findall(r"hikflask-(\d+\.\d+\.\d+)", guide)) == {VERSION}

        minor = VERSION.rpartition(".")[0]
        assert f" {minor} | " in (ROOT / f"docs/{language}/support.md").read_text(encoding="utf-8")
