"""What `make release` has made in dist/; run by it, and not by `make test`."""

import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import OutputFormat, SchemaVersion
from cyclonedx.validation import make_schemabased_validator
from packaging.utils import canonicalize_name

from hikflask.version import VERSION
from tests.test_dependencies import locked

ROOT = Path(__file__).parents[2]
DIST = ROOT / "dist"
WHEEL, SDIST = DIST / f"hikflask-{VERSION}-py3-none-any.whl", DIST / f"hikflask-{VERSION}.tar.gz"
BILL = DIST / f"hikflask-{VERSION}.cdx.json"
MAKE = "deploy/release.py"


def make(root: Path, *words: str, **options: Any) -> subprocess.CompletedProcess[str]:
    """Make a release of another copy of the project, or in another folder."""
    command = [sys.executable, str(root / MAKE), *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=300, **options)


def copy_of_the_commit(folder: Path) -> Path:
    subprocess.run(["git", "clone", "--quiet", "--shared", str(ROOT), str(folder)], check=True, timeout=60)
    return folder


def files_of_sdist() -> dict[str, tarfile.TarInfo]:
    with tarfile.open(SDIST) as archive:
        return {member.name.removeprefix(f"hikflask-{VERSION}/"): member for member in archive.getmembers()}


def files_of_wheel() -> set[str]:
    with zipfile.ZipFile(WHEEL) as archive:
        return set(archive.namelist())


def tracked() -> set[str]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60)
    return set(listed.stdout.rstrip("\0").split("\0"))


def guides() -> set[str]:
    """The pages of the guides in the sdist; which they are, the site's own tests say."""
    found = {name for name in files_of_sdist() if name.startswith("hikflask/help/")}
    assert found > {f"hikflask/help/{name}" for name in ("en/index.html", "ru/index.html", "script-hashes.json")}
    return found


def test_same_commit_gives_the_same_bytes_in_another_folder_at_another_time_for_another_account(tmp_path: Path) -> None:
    copy = copy_of_the_commit(tmp_path / "another folder")
    # Nothing of these may be in what is made.
    others = {"TZ": "Asia/Tokyo", "LC_ALL": "C", "PYTHONHASHSEED": "7", "HOME": str(tmp_path)}
    for setting, value in {"core.autocrlf": "true", "tar.umask": "user"}.items():
        subprocess.run(["git", "config", setting, value], cwd=copy, check=True, timeout=60)
    (copy / ".git/info/exclude").write_text("*.orig\n")
    (copy / "docs/en/index.orig").write_text("left by a merge")
    (copy / "hikflask/help/en").mkdir(parents=True)
    (copy / "hikflask/help/en/index.html").write_text("built from another commit")

    made = make(copy, str(tmp_path / "dist"), env=os.environ | others, umask=0o077)

    assert made.returncode == 0, made.stderr
    names = sorted(path.name for path in DIST.iterdir())
    assert names == sorted([WHEEL.name, SDIST.name, BILL.name, "SHA256SUMS"])
    assert [name for name in names if (DIST / name).read_bytes() != (tmp_path / "dist" / name).read_bytes()] == []


def test_release_is_made_of_a_commit_alone(tmp_path: Path) -> None:
    copy = copy_of_the_commit(tmp_path / "copy")
    taken = make(copy, str(tmp_path))
    (copy / "instance/left.txt").write_text("ignored")
    (copy / "hikflask/left.py").write_text("not committed")
    changed = make(copy)
    shutil.rmtree(copy / ".git")
    without_git = make(copy)

    assert [taken.returncode, changed.returncode, without_git.returncode] == [1, 1, 1]
    assert taken.stderr == f"{tmp_path} is there already: name a new folder.\n"
    assert changed.stderr == (
        "A release is made of a commit, and these files are not as the last one has them:\n?? hikflask/left.py\n"
    )
    assert without_git.stderr == "A release is made of a commit: do it in a clone, with git.\n"
    assert not (copy / "dist").exists()


def test_sums_are_right() -> None:
    checked = subprocess.run(
        ["sha256sum", "--check", "--strict", "SHA256SUMS"],
        cwd=DIST,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert checked.stdout == f"{WHEEL.name}: OK\n{BILL.name}: OK\n{SDIST.name}: OK\n"


@pytest.mark.parametrize("language", ["en", "ru"])
def test_commands_of_the_guide_check_and_unpack_it(language: str, tmp_path: Path) -> None:
    guide = (ROOT / f"docs/{language}/install.md").read_text(encoding="utf-8")
    commands = guide.partition("```\n")[2].partition("```")[0]
    for taken in (SDIST, DIST / "SHA256SUMS"):
        shutil.copy(taken, tmp_path)

    command = ["bash", "-euc", f"{commands}\npwd"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60)

    assert done.stdout == f"{SDIST.name}: OK\n{tmp_path}/hikflask-{VERSION}\n"
    assert (tmp_path / f"hikflask-{VERSION}/deploy/install.sh").exists()


def test_sdist_is_the_commit_with_the_guides() -> None:
    files = files_of_sdist()

    assert set(files) - {"PKG-INFO"} == tracked() | guides()
    assert files["deploy/install.sh"].mode & 0o777 == 0o755
    assert {(member.uname, member.gname) for member in files.values()} == {("", "")}


def test_wheel_has_the_program_with_tables_guides_and_licence() -> None:
    files = files_of_wheel()
    own = f"hikflask-{VERSION}.dist-info"
    packaged = {name for name in tracked() | guides() if name.startswith("hikflask/")}
    beside = {f"hikflask/{name}" for name in tracked() if re.match(r"(deploy|migrations)/", name)}
    about = {f"{own}/{name}" for name in ("METADATA", "WHEEL", "RECORD", "entry_points.txt", "licenses/LICENSE")}

    assert files == packaged | beside | about | {"wsgi.py"}


def test_wheel_needs_what_is_declared() -> None:
    with zipfile.ZipFile(WHEEL) as archive:
        told = archive.read(f"hikflask-{VERSION}.dist-info/METADATA").decode()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

    needed = re.findall(r"^Requires-Dist: ([^;\n]+)$", told, re.MULTILINE)
    assert sorted(map(canonicalize_name, needed)) == sorted(map(canonicalize_name, project["dependencies"]))
    assert f"Requires-Python: {project['requires-python']}\n" in told


def test_bill_has_each_locked_package_with_licence_hashes_and_what_needs_it() -> None:
    text = BILL.read_text(encoding="utf-8")
    bill = json.loads(text)
    of_python = [one for one in bill["components"] if one["purl"].startswith("pkg:pypi/")]
    components: dict[str, Any] = {canonicalize_name(one["name"]): one for one in of_python}
    lock, needed = locked("requirements-faces.txt"), locked("requirements-app.txt")

    assert make_schemabased_validator(OutputFormat.JSON, SchemaVersion.V1_6).validate_str(text) is None
    assert "serialNumber" not in bill
    assert (bill["metadata"]["component"]["name"], bill["metadata"]["component"]["version"]) == ("hikflask", VERSION)
    # What Windows alone needs is not in it.
    assert set(lock) - set(components) == {"tzdata"}
    assert {name: {one["version"]} for name, one in components.items()} == {name: lock[name] for name in components}
    assert [name for name, one in components.items() if not one.get("licenses")] == []
    assert [name for name, one in components.items() if (one["scope"] == "required") != (name in needed)] == []
    for component in components.values():
        # It would tell what else was installed where the release was made.
        assert "properties" not in component
        (file,) = [
            one for one in component["externalReferences"] if one["type"] == "distribution" and one.get("hashes")
        ]
        assert all(re.fullmatch("[0-9a-f]{64}", one["content"]) for one in file["hashes"])
    told = {one["ref"]: one["dependsOn"] for one in bill["dependencies"]}
    flask = components["flask"]["bom-ref"]
    assert flask in told[bill["metadata"]["component"]["bom-ref"]]
    assert components["werkzeug"]["bom-ref"] in told[flask]


def test_bill_has_what_is_copied_into_the_program() -> None:
    bill = json.loads(BILL.read_text(encoding="utf-8"))
    copied = [one for one in bill["components"] if one["purl"].startswith("pkg:npm/")]
    # Of Bootstrap one file is copied.
    files = {path.stem.replace("-reboot", "") for path in (ROOT / "hikflask/static/vendor").iterdir()}

    assert {f"{re.split('[.]|-(?:static|dist)', one['name'])[0]}-{one['version']}" for one in copied} == files
    assert [one["name"] for one in copied if not one["licenses"]] == []


@pytest.mark.parametrize("file", [WHEEL, SDIST, BILL], ids=lambda file: file.suffix)
def test_nothing_tells_where_it_was_made(file: Path) -> None:
    places = (str(ROOT).encode(), str(Path(sys.prefix)).encode())

    if file == WHEEL:
        with zipfile.ZipFile(file) as wheel:
            content = b"".join(map(wheel.read, wheel.namelist()))
    elif file == SDIST:
        with tarfile.open(file) as sdist:
            content = b"".join(
                found.read()
                for member in sdist.getmembers()
                if member.isfile() and (found := sdist.extractfile(member))
            )
    else:
        content = file.read_bytes()

    assert [place for place in places if place in content] == []
