"""A directory for the tests: OpenLDAP's slapd on loopback, with people and groups, and certificates of its own."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import ldap3

from hikflask.simulator.certificate import make_certificate
from tests.processes.processes import free_port

BASE = "dc=corp,dc=example"
OWN, OWN_PASSWORD = f"cn=hikflask,{BASE}", "own secret"
PASSWORD = "пароль из каталога"
SCHEMAS = Path("/etc/ldap/schema")
CONFIG = """
include {schemas}/core.schema
include {schemas}/cosine.schema
include {schemas}/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
TLSCertificateFile {folder}/certificate.pem
TLSCertificateKeyFile {folder}/key.pem
database mdb
suffix "{base}"
rootdn "{own}"
rootpw "{own_password}"
directory {folder}/data
"""
PEOPLE = {
    "ivanov": "Иванов",
    "petrov": "Петров",
    "o*l)g(a\\": "Ольга",
    "nobody": "Никто",
    "api bot": "Бот",
    "анна": "Анна",
}

OTHER_PASSWORD = "пароль тёзки"
# Two have the first name, three the second; the contractor is no ivanov of the company.
NAMESAKES = (
    ("twin", "a,ou=people"),
    ("twin", "b,ou=people"),
    ("many", "people"),
    ("many", "a,ou=people"),
    ("many", "b,ou=people"),
    ("ivanov", "contractors"),
)


def program() -> str | None:
    """Return slapd's path, or None when it is not installed."""
    return shutil.which("slapd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/lib/openldap")


def address(name: str) -> str:
    return f"uid={ldap3.utils.dn.escape_rdn(name)},ou=people,{BASE}"


@dataclass
class Directory:
    """A running slapd. `url` is ldaps://; StartTLS is at `plain`. `ca` is the file with its certificate."""

    folder: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="hikflask-ldap-")))
    secure: int = field(default_factory=free_port)
    open: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"ldaps://127.0.0.1:{self.secure}"

    @property
    def plain(self) -> str:
        return f"ldap://127.0.0.1:{self.open}"

    @property
    def ca(self) -> str:
        return str(self.folder / "certificate.pem")

    def start(self) -> None:
        """Start the server, and wait until it answers."""
        certificate = make_certificate("127.0.0.1")
        (self.folder / "certificate.pem").write_bytes(certificate.pem)
        (self.folder / "key.pem").write_bytes(certificate.key)
        (self.folder / "data").mkdir()
        known = {"schemas": SCHEMAS, "folder": self.folder, "base": BASE, "own": OWN, "own_password": OWN_PASSWORD}
        (self.folder / "slapd.conf").write_text(CONFIG.format(**known))
        found = program()
        assert found
        urls = f"{self.url} {self.plain}"
        self.process = subprocess.Popen(
            [found, "-f", str(self.folder / "slapd.conf"), "-h", urls, "-d", "0"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + 60
        while not self._answers():
            assert time.monotonic() < deadline, "slapd does not answer"
            time.sleep(0.02)
        self._fill()

    def stop(self) -> None:
        """Stop the server and delete what it wrote."""
        if self.process:
            self.process.terminate()
            self.process.wait(10)
        shutil.rmtree(self.folder, ignore_errors=True)

    def members(self, group: str, *names: str) -> None:
        """Let a group have these members."""
        dn = f"cn={group},ou=groups,{BASE}"
        with self._admin() as admin:
            admin.modify(dn, {"member": [(ldap3.MODIFY_REPLACE, [OWN, *map(address, names)])]})
            assert admin.result["description"] == "success", admin.result

    def settings(self, **more: object) -> dict[str, object]:
        """The settings with which the app asks this directory by an account of its own."""
        groups = (("admin", "admins"), ("operator", "operators"), ("viewer", "viewers"))
        return {
            "LDAP_URL": self.url,
            "LDAP_CA": self.ca,
            "LDAP_BIND_DN": OWN,
            "LDAP_BIND_PASSWORD": OWN_PASSWORD,
            "LDAP_BASE": f"ou=people,{BASE}",
            "LDAP_GROUPS": "; ".join(f"{role}:cn={group},ou=groups,{BASE}" for role, group in groups),
            **more,
        }

    @contextmanager
    def _admin(self) -> Iterator[ldap3.Connection]:
        server = ldap3.Server(self.plain, get_info=ldap3.NONE)
        connection = ldap3.Connection(server, OWN, OWN_PASSWORD, auto_bind=True)
        try:
            yield connection
        finally:
            connection.unbind()

    def _answers(self) -> bool:
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.open)):
            return True
        return False

    def _fill(self) -> None:
        with self._admin() as admin:
            admin.add(BASE, ["dcObject", "organization"], {"dc": "corp", "o": "Corp"})
            for unit in ("people", "groups", "contractors"):
                admin.add(f"ou={unit},{BASE}", "organizationalUnit")
            for branch in ("a", "b"):
                admin.add(f"ou={branch},ou=people,{BASE}", "organizationalUnit")
            for name, surname in PEOPLE.items():
                values = {"uid": name, "cn": surname, "sn": surname, "userPassword": PASSWORD}
                admin.add(address(name), "inetOrgPerson", values)
                assert admin.result["description"] == "success", admin.result
            for name, place in NAMESAKES:
                values = {"uid": name, "cn": name, "sn": name, "userPassword": OTHER_PASSWORD}
                admin.add(f"uid={name},ou={place},{BASE}", "inetOrgPerson", values)
                assert admin.result["description"] == "success", admin.result
            several = {"uid": ["alias", "sidorov"], "mail": ["a@corp.example", "b@corp.example"]}
            person = {**several, "cn": "Сидоров", "sn": "Сидоров", "userPassword": PASSWORD}
            admin.add(address("sidorov"), "inetOrgPerson", person)
            for group in ("admins", "operators", "viewers"):
                admin.add(f"cn={group},ou=groups,{BASE}", "groupOfNames", {"member": OWN})
