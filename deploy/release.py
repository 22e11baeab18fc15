#!/usr/bin/env python3
"""Makes a release of the commit that is checked out: wheel, sdist, SBOM (CycloneDX) and SHA256SUMS, in dist/.

The same commit gives the same bytes, wherever and whenever it is done: nothing goes in but what the commit has and the
guides, which are built from it here, and every date is the commit's.
"""

import hashlib
import json
import os
import re
import runpy
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
VERSION = runpy.run_path(str(ROOT / "hikflask/version.py"))["VERSION"]
PIN = re.compile(r"^([a-z0-9-]+)(?:\[[a-z0-9,-]+\])?==(.+)", re.MULTILINE)
# Name and licence of what is copied into hikflask/static/vendor, and the licence that a package has in a file alone.
OF_NPM = {
    "bootstrap-reboot": ("bootstrap", "MIT"),
    "htmx": ("htmx.org", "0BSD"),
    "lucide": ("lucide-static", "ISC"),
    "swagger-ui": ("swagger-ui-dist", "Apache-2.0"),
}
LICENCES = {"huey": "MIT"}
HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")


def main() -> None:
    """Make a release in dist/, where it takes the place of an older one, or in a new folder that is named."""
    refuse_what_is_no_commit()
    dist = ROOT / "dist"
    target = Path(sys.argv[1] if sys.argv[1:] else dist).absolute()
    if target != dist and target.exists():
        sys.exit(f"{target} is there already: name a new folder.")
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    os.environ["SOURCE_DATE_EPOCH"] = said("git", "log", "-1", "--format=%ct")
    with TemporaryDirectory() as folder:
        export(Path(folder))
        build_guides(Path(folder))
        said(sys.executable, "-m", "build", "--no-isolation", "--outdir", str(target), folder)
    write_json(target / f"hikflask-{VERSION}.cdx.json", bill_of_materials())
    write_sums(target)
    print(f"hikflask {VERSION} is in {target}:")
    print((target / "SHA256SUMS").read_text(encoding="utf-8"), end="")


def refuse_what_is_no_commit() -> None:
    """End unless everything that goes into the release is known."""
    if not shutil.which("git") or not (ROOT / ".git").exists():
        sys.exit("A release is made of a commit: do it in a clone, with git.")
    if differing := said("git", "status", "--porcelain"):
        sys.exit(f"A release is made of a commit, and these files are not as the last one has them:\n{differing}")


def said(*command: str, folder: Path = ROOT) -> str:
    """Return what a command printed; what it complains of is shown when it fails."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(command)}:\n{done.stdout}{done.stderr}")
    return done.stdout.strip()


def export(folder: Path) -> None:
    """Write the files of the commit into a folder, so that nothing else can get in."""
    archive = folder.with_suffix(".tar")
    # As the commit has them, whatever line ends and permissions this git is set up to write.
    said("git", "-c", "core.autocrlf=false", "-c", "tar.umask=0022", "archive", "--output", str(archive), "HEAD")
    said("tar", "--extract", "--file", str(archive), "--directory", str(folder))
    archive.unlink()


def build_guides(folder: Path) -> None:
    """Build them from the files of the commit: hikflask/help of this folder may be of other files."""
    os.environ["NO_MKDOCS_2_WARNING"] = "1"
    for language in ("en", "ru"):
        said(sys.executable, "-m", "mkdocs", "build", f"--config-file=docs/mkdocs.{language}.yml", folder=folder)


def bill_of_materials() -> dict[str, Any]:
    """What of others is installed, as it is locked; the packages themselves tell their licences and what they need."""
    options = ["--output-reproducible", "--no-validate", "--spec-version", "1.6", "--mc-type", "application"]
    command = [sys.executable, "-m", "cyclonedx_py", "environment", "--pyproject", "pyproject.toml", *options]
    bill: dict[str, Any] = json.loads(said(*command))
    program = bill["metadata"]["component"]
    program["version"] = VERSION
    hashes, required = locked("requirements-faces.txt"), locked("requirements-app.txt")
    bill["components"] = [one for one in bill["components"] if canonicalize_name(one["name"]) in hashes]
    for component in bill["components"]:
        name = canonicalize_name(component["name"])
        # Which extras something asks for that happens to be installed here.
        component.pop("properties", None)
        component["scope"] = "required" if name in required else "optional"
        file = {"type": "distribution", "url": f"https://pypi.org/project/{name}/{component['version']}/#files"}
        component["licenses"] = component.get("licenses") or licence(LICENCES[name])
        sums = [{"alg": "SHA-256", "content": content} for content in hashes[name]]
        component["externalReferences"] = [*component.get("externalReferences", []), file | {"hashes": sums}]
    bill["components"] += [vendored(file) for file in sorted(ROOT.glob("hikflask/static/vendor/*.LICENSE"))]
    known = {program["bom-ref"], *(component["bom-ref"] for component in bill["components"])}
    bill["dependencies"] = [
        one | {"dependsOn": [needed for needed in one.get("dependsOn", []) if needed in known]}
        for one in bill["dependencies"]
        if one["ref"] in known
    ]
    return bill


def vendored(licence_file: Path) -> dict[str, Any]:
    """A component that is copied into the program, with the licence beside it."""
    short, _, version = licence_file.stem.rpartition("-")
    name, identifier = OF_NPM[short]
    purl = f"pkg:npm/{name}@{version}"
    about = {"type": "library", "bom-ref": purl, "purl": purl, "name": name, "version": version}
    return about | {"scope": "required", "licenses": licence(identifier)}


def licence(identifier: str) -> list[dict[str, Any]]:
    return [{"license": {"id": identifier, "acknowledgement": "concluded"}}]


def locked(file: str) -> dict[str, list[str]]:
    """The hashes of each package in a lock, save those that only Windows needs."""
    _, *pins = PIN.split((ROOT / file).read_text(encoding="utf-8"))
    found = zip(pins[::3], pins[1::3], pins[2::3], strict=True)
    return {name: HASH.findall(rest) for name, version, rest in found if "win32" not in version}


def write_json(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def write_sums(folder: Path) -> None:
    """As `sha256sum --check SHA256SUMS` reads them."""
    lines = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in sorted(folder.iterdir())]
    (folder / "SHA256SUMS").write_text("".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
