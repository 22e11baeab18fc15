"""What is said of another program on the ports of nginx; nginx itself: tests/processes/test_nginx.py."""

import platform
from pathlib import Path

from hikflask.diagnosis import machine, proxy, wrong
from tests.processes.processes import free_port
from tests.support import certificates
from tests.support.other_program import other_program

HOST = "hikflask.example"
SERVER = f"BaseHTTP/0.6 Python/{platform.python_version()}"


def test_other_program_on_the_ports_of_nginx_is_named(tmp_path: Path) -> None:
    (tmp_path / "both.pem").write_bytes(certificates.certificate([HOST])[1])

    with other_program(tmp_path / "both.pem") as https, other_program() as plain:
        _, *found = proxy.check([HOST], https=https, plain=plain, site=tmp_path)

        assert found == [
            wrong(
                f"Another program than nginx answers on port {port}, which calls itself {SERVER}. "
                f"{machine.listener(port)} Stop it, and then `systemctl restart nginx`."
            )
            for port in (https, plain)
        ]


def test_program_that_speaks_no_https_is_named(tmp_path: Path) -> None:
    with other_program() as port:
        (finding,) = proxy.check([HOST], https=port, site=tmp_path)

        assert finding.sentence.startswith(f"nginx does not serve {HOST} at 127.0.0.1 (")
        assert finding.sentence.endswith(
            "): its site must have this name, and a certificate and a key that belong together and are of one kind, "
            f"RSA or EC; `nginx -t` checks its settings. {machine.listener(port)}"
        )


def test_port_on_which_nothing_listens_and_the_missing_site_are_said(tmp_path: Path) -> None:
    port, site = free_port(), tmp_path / "hikflask"

    missing = list(proxy.check([HOST], https=port, site=site))
    site.touch()

    assert missing == [
        wrong(
            f"nginx does not serve {HOST} at 127.0.0.1 ([Errno 111] Connection refused): {site} is missing: `ln -s "
            f"../sites-available/hikflask {site}` puts it back, or deploy/install.sh where that file is missing, too; "
            f"then `systemctl reload nginx`. Nothing listens on port {port}."
        )
    ]
    assert list(proxy.check([HOST], https=port, site=site)) == [
        wrong(
            f"nginx does not serve {HOST} at 127.0.0.1 ([Errno 111] Connection refused): `nginx -t` checks its "
            f"settings, `systemctl status nginx` says whether it runs. Nothing listens on port {port}."
        )
    ]
