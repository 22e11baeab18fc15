"""What the guide on moving says, in this order: without internet, to another machine, back to the version before."""

import re
import shutil
from hashlib import sha256

from tests.installation.browser import NAME
from tests.installation.root import ThrowAwayRoot
from tests.installation.versions import BEFORE, INSTALL, NEXT, next_version, version_of_tables
from tests.processes.processes import ROOT

PASSWORD = "восемь зелёных окон 7"
OLD = "/srv/old"
NOBODY = {"http_proxy": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9"}


def blocks(section: str) -> list[str]:
    """The blocks of a section of the guide, without `sudo`: everybody is root here."""
    guide = (ROOT / "docs/en/moving.md").read_text(encoding="utf-8")
    text = guide.partition(f"\n## {section}\n")[2].partition("\n## ")[0]
    found = re.findall(r"^ *```\n(.*?)^ *```$", text, re.MULTILINE | re.DOTALL)
    return [re.sub(r"^ *(sudo )?", "", block, flags=re.MULTILINE) for block in found]


def run(root: ThrowAwayRoot, commands: str, folder: str = "/", **environment: str) -> str:
    """Run a block of the guide, line by line, up to the first one that fails."""
    return root.run("bash", "-euxc", f"cd {folder}\n{commands}", status=0, **environment)


def create(root: ThrowAwayRoot, name: str) -> None:
    words = ("operator", "create", name, "--role", "admin", "--password-stdin")
    root.run("hikflask", *words, stdin=f"{PASSWORD}\n")


def operators(root: ThrowAwayRoot) -> list[str]:
    _, *lines = root.run("hikflask", "operator", "list").splitlines()
    return [line.split()[0] for line in lines]


def test_wheels_from_a_folder_are_installed_while_no_index_can_be_reached(root: ThrowAwayRoot) -> None:
    folder = root.put_program("before", BEFORE)
    # OpenCV takes long to load and to install.
    shutil.copy(folder / "requirements-app.txt", folder / "requirements-faces.txt")
    with_internet, without = blocks("Without internet")

    run(root, with_internet, "/root/before")
    (wheel,) = root.path("root/before/wheels").glob("alembic-*.whl")
    was = wheel.read_bytes()
    wheel.write_bytes(was + b"x")
    refused = root.run("bash", "-euc", f"cd /root/before\n{without}", status=1, **NOBODY)
    wheel.write_bytes(was)
    said = run(root, without, "/root/before", **NOBODY)

    assert "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE." in refused
    assert f"Got        {sha256(was + b'x').hexdigest()}" in refused
    assert refused.splitlines()[-1] == "Nothing was upgraded: put right what is said above, then run this again."
    assert f"hikflask {BEFORE} runs at https://{NAME}/" in said


def test_commands_bring_everything_to_another_machine(root: ThrowAwayRoot) -> None:
    head = version_of_tables(root)
    create(root, "Анна")
    next_version(root, "next", NEXT, head)
    install, stop, copy = blocks("Another machine")
    assert install.split() == [INSTALL, NAME]
    # A folder with what was here stands for the old machine; its accounts have other numbers. The rest is the new one.
    run(root, stop)
    root.run("hikflask", "secrets", "rotate")
    places = ("var/lib/hikflask", "var/lib/hikflask-backups", "etc/hikflask.env", "etc/ssl/certs/hikflask.pem")
    for place in (*places, "etc/ssl/private/hikflask.key"):
        run(root, f"mkdir -p $(dirname {OLD}/{place})\ncp -a /{place} {OLD}/{place}")
    run(root, f"chown -R 12345:12345 {OLD}/var/lib\nrm -rf /var/lib/hikflask/* /var/lib/hikflask-backups/*")
    run(root, "systemctl start hikflask hikflask-worker\nhikflask ready --wait 60")
    assert operators(root) == []

    wheels = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": "/root/before/wheels"}
    run(root, copy.replace("root@old.example:", OLD), "/root/next", **wheels)

    assert root.run("hikflask", "--version") == f"hikflask {NEXT}\n"
    assert operators(root) == ["Анна"]
    key, was = root.path("var/lib/hikflask/password_key"), root.path(f"{OLD[1:]}/var/lib/hikflask/password_key")
    assert key.read_bytes() == was.read_bytes()
    assert root.run("find", "/var/lib/hikflask", "/var/lib/hikflask-backups", "!", "-user", "hikflask") == ""
    assert root.run("stat", "-c", "%a %U %G", "/etc/hikflask.env") == "640 root hikflask\n"
    assert root.run("hikflask", "doctor").endswith("Everything is as it should be.\n")


def test_commands_bring_back_the_version_before_with_what_was_stored_since(root: ThrowAwayRoot) -> None:
    root.run("apt-get", "install", "-y", "python3-venv", "nginx", "openssl")
    assert version_of_tables(root) == "next"
    create(root, "Борис")
    look, back = blocks("Back to the version before")

    (version,) = re.findall(rf"^{re.escape(BEFORE)}-\d+$", root.run("ls", "/opt/hikflask/versions"), re.MULTILINE)
    (revision,) = re.findall(r"^(\w+) \(head\)$", run(root, look.replace("VERSION", version)), re.MULTILINE)
    run(root, back.replace("REVISION", revision).replace("VERSION", version))

    assert root.run("hikflask", "--version") == f"hikflask {BEFORE}\n"
    assert version_of_tables(root) == revision
    assert operators(root) == ["Анна", "Борис"]
