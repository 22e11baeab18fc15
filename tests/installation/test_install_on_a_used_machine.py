"""An installation that meets a site of another, rows without a version, or a version whose Python is gone."""

import os
from pathlib import Path

import requests

from tests.installation.browser import NAME, URL, Browser
from tests.installation.root import ThrowAwayRoot
from tests.installation.versions import (
    BEFORE,
    INSTALL,
    NEXT,
    broken_version,
    next_version,
    revisions_of_backups,
    version_of_tables,
    without_face_detection,
)

OTHER = "other.example"
IPV6 = "listen [::]:80 default_server;" if Path("/proc/net/if_inet6").exists() else ""
# What an administrator made of Debian's own page.
OTHER_SITE = f"""
server {{
    listen 80 default_server;
    {IPV6}
    server_name {OTHER};
    return 200 "another site";
}}
"""
OTHER_UPSTREAM = "upstream hikflask { server 127.0.0.1:8000; }\n"
PASSWORD = "восемь зелёных окон 7"


def test_other_sites_of_nginx_stay_as_they_are(root: ThrowAwayRoot) -> None:
    root.put_program("before", BEFORE)
    without_face_detection(root, "before")
    root.path("etc/nginx/sites-available/default").write_text(OTHER_SITE)
    upstream = root.path("etc/nginx/conf.d/other.conf")
    upstream.write_text(OTHER_UPSTREAM)
    before = files_of_nginx(root)

    failed = root.run(f"/root/before/{INSTALL}", NAME, status=1)

    refusal, _, line = failed.splitlines()[-1].rpartition(":")
    assert refusal == (
        "nginx refuses its settings with the site of these pages, so they stay as they were: "
        'duplicate upstream "hikflask" in /etc/nginx/sites-enabled/hikflask'
    )
    assert line.isdecimal()
    assert files_of_nginx(root) == before
    assert versions(root) == []
    upstream.unlink()

    said = root.run(f"/root/before/{INSTALL}", NAME)

    assert f"Another site of nginx is the default at 0.0.0.0:80: it answers to other names than {NAME}.\n" in said
    assert answer_to(OTHER).text == "another site"
    assert answer_to("nobody.example").text == "another site"
    assert answer_to(NAME).headers["Location"] == f"https://{NAME}/"
    assert Browser(root).get(f"{URL}/first-run").ok
    assert root.path("etc/nginx/sites-available/default").read_text() == OTHER_SITE
    assert "listen 443 ssl default_server;" in root.path("etc/nginx/sites-available/hikflask").read_text()


def versions(root: ThrowAwayRoot) -> list[str]:
    return [path.name for path in root.path("opt/hikflask/versions").iterdir()]


def files_of_nginx(root: ThrowAwayRoot) -> list[str]:
    return root.run("find", "/etc/nginx", "-printf", r"%p %l %s %t\n").splitlines()


def answer_to(name: str) -> requests.Response:
    """What nginx answers by http to this name."""
    with requests.Session() as session:
        session.trust_env = False
        return session.get("http://127.0.0.1/", headers={"Host": name}, allow_redirects=False)


def test_nothing_is_begun_without_room_or_readable_settings_and_what_ends_early_leaves_nothing(
    root: ThrowAwayRoot,
) -> None:
    before, settings = versions(root), "/etc/hikflask.env"
    root.run("mount", "-t", "tmpfs", "-o", "size=10m", "tmpfs", "/var/lib/hikflask")
    full = root.run(f"/root/before/{INSTALL}", status=1)
    root.run("umount", "/var/lib/hikflask")
    root.run("chown", "root:root", settings)
    hidden = root.run(f"/root/before/{INSTALL}", status=1)
    command = root.run("hikflask", "doctor", status=1)
    root.run("chown", "root:hikflask", settings)
    backups = "/var/lib/hikflask-backups"
    root.run("mv", backups, f"{backups}.away")
    root.run("touch", backups)
    ended = root.run(f"/root/before/{INSTALL}", status=1)
    root.run("rm", backups)
    root.run("mv", f"{backups}.away", backups)

    needed = "This needs 64 MB where /var/lib/hikflask is, and 10 MB are free."
    assert full == f"{needed} Nothing was changed: make room, then run this again.\n"
    cure = f"The account hikflask cannot read {settings}: run `chown root:hikflask {settings}; chmod 640 {settings}`."
    assert hidden.splitlines()[-1] == cure
    assert command == f"{cure}\n"
    assert ended.splitlines()[-1] == "Nothing was upgraded: put right what is said above, then run this again."
    assert versions(root) == before


def test_version_whose_python_is_gone_is_backed_up_by_the_new_one(root: ThrowAwayRoot) -> None:
    root.run("hikflask", "operator", "create", "Анна", "--role", "admin", "--password-stdin", stdin=f"{PASSWORD}\n")
    head = version_of_tables(root)
    died = Path(os.readlink(root.path("opt/hikflask/current"))).name
    python = root.path(f"opt/hikflask/versions/{died}/bin/python3")
    python.unlink()
    python.symlink_to("/usr/bin/python3.1")
    broken_version(root, head)
    without_face_detection(root, "broken")
    assert root.run("hikflask", "doctor", status=1) == (
        "The installed version does not start, perhaps since Debian replaced Python: run deploy/install.sh again.\n"
    )

    failed = root.run(f"/root/broken/{INSTALL}", status=1, READY_SECONDS="2")

    assert (
        f"{died} does not run any more, perhaps since Debian replaced Python: the new version makes the backup.\n"
    ) in failed
    assert "The new version does not work here: going back to the tables of before.\n" in failed
    assert failed.splitlines()[-1] == (
        "No version runs here now, and nothing that was stored is lost. `journalctl -u hikflask` says what went wrong. "
        "Then run this again, or the same command of the version of before."
    )
    assert version_of_tables(root) == head
    assert revisions_of_backups(root) == [head]


def test_what_is_stored_without_a_version_is_backed_up(root: ThrowAwayRoot) -> None:
    """As where somebody has installed it by hand."""
    (head,) = revisions_of_backups(root)
    next_version(root, "next", NEXT, head)
    without_face_detection(root, "next")
    root.path("opt/hikflask/current").unlink()

    assert f"hikflask {NEXT} runs at https://{NAME}/" in root.run(f"/root/next/{INSTALL}")

    # The version that was never ready is gone, and the last one that worked is not.
    assert [name.partition("-")[0] for name in sorted(versions(root))] == [BEFORE, NEXT]
    assert version_of_tables(root) == "next"
    assert revisions_of_backups(root) == [head, head]
    assert root.run("hikflask", "operator", "first-code") == "There are operators already: nobody needs a code.\n"
