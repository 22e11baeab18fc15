"""HTTPS: the pin is what is trusted, nothing else and nothing less."""

import hashlib
import socket
import ssl
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from hikflask.isapi import errors
from hikflask.isapi.client import Client, certificate_fingerprint, normal_fingerprint

from .helpers import DigestTerminal, Reply, terminal


class Identity:
    """A self-signed certificate as terminals have one, its server context and its fingerprint."""

    def __init__(self, folder: Path) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "terminal")])
        builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        start = datetime.now(UTC) - timedelta(days=1)
        builder = builder.serial_number(1).not_valid_before(start).not_valid_after(start + timedelta(days=9))
        certificate = builder.sign(key, hashes.SHA256())
        self.fingerprint = hashlib.sha256(certificate.public_bytes(serialization.Encoding.DER)).hexdigest()
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        self.file = folder / "terminal.pem"
        self.file.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(self.file)


@pytest.fixture(scope="module")
def identity(tmp_path_factory: pytest.TempPathFactory) -> Identity:
    return Identity(tmp_path_factory.mktemp("identity"))


def client_of(url: str, fingerprint: str | None) -> Client:
    return Client(url, "admin", "x", fingerprint=fingerprint, timeout=(2.0, 2.0))


def test_the_pinned_certificate_is_accepted_without_a_warning(identity: Identity) -> None:
    with terminal(lambda *_: Reply(), identity.context) as server:
        client = client_of(server.url, ":".join(identity.fingerprint[i : i + 2] for i in range(0, 64, 2)).upper())
        assert client.request("GET", "/x").status == 200
        assert client.request("GET", "/x").status == 200
        client.close()


def test_another_certificate_than_the_pinned_one_gets_no_request(identity: Identity) -> None:
    with terminal(lambda *_: Reply(), identity.context) as server:
        with pytest.raises(errors.CertificateChanged) as caught:
            client_of(server.url, "0" * 64).request("GET", "/x?token=1")
        assert server.seen == []
    assert (caught.value.code, caught.value.path) == ("certificate_changed", "/x")


def test_another_certificate_gets_no_password_of_a_client_that_was_logged_in(
    identity: Identity, tmp_path: Path
) -> None:
    with terminal(DigestTerminal(), identity.context) as server:
        client = Client(server.url, "admin", "secret-pass", fingerprint=identity.fingerprint, timeout=(2.0, 2.0))
        assert client.request("GET", "/x").status == 200
    client.close()

    with terminal(DigestTerminal(), Identity(tmp_path).context, port=int(server.url.rpartition(":")[2])) as stranger:
        for _ in range(2):
            with pytest.raises(errors.CertificateChanged):
                client.request("GET", "/x")
        assert stranger.seen == []


def test_without_a_pin_a_self_signed_certificate_is_refused(identity: Identity) -> None:
    with terminal(lambda *_: Reply(), identity.context) as server:
        with pytest.raises(errors.CertificateChanged):
            client_of(server.url, None).request("GET", "/x")
        assert server.seen == []


def test_a_ca_bundle_of_the_environment_trusts_nothing(identity: Identity, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(identity.file))
    monkeypatch.setenv("CURL_CA_BUNDLE", str(identity.file))
    with terminal(lambda *_: Reply(), identity.context) as server, pytest.raises(errors.CertificateChanged):
        client_of(server.url.replace("127.0.0.1", "localhost"), None).request("GET", "/x")


@pytest.fixture
def outdated(identity: Identity) -> ssl.SSLContext:
    """What a terminal shows that knows TLS 1.1 alone."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(identity.file)
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    return context


def test_a_terminal_that_knows_tls_1_1_alone_gets_no_request(identity: Identity, outdated: ssl.SSLContext) -> None:
    with terminal(lambda *_: Reply(), outdated) as server:
        with pytest.raises(errors.Unreachable):
            client_of(server.url, identity.fingerprint).request("GET", "/x")
        with pytest.raises(errors.Unreachable):
            certificate_fingerprint(server.url, 2.0)
        assert server.seen == []


def test_a_port_that_speaks_no_tls_got_no_request() -> None:
    with terminal(lambda *_: Reply()) as server:
        with pytest.raises(errors.Unreachable):
            client_of(server.url.replace("http:", "https:"), "0" * 64).request("PUT", "/x", data=b"x")
        assert server.seen == []


def test_the_fingerprint_shown_is_that_of_the_certificate(identity: Identity) -> None:
    with terminal(lambda *_: Reply(), identity.context) as server:
        assert certificate_fingerprint(server.url, 2.0) == identity.fingerprint


def test_a_server_without_tls_has_no_fingerprint() -> None:
    with terminal(lambda *_: Reply()) as server, pytest.raises(errors.Unreachable):
        certificate_fingerprint(server.url.replace("http:", "https:"), 2.0)


def test_a_silent_server_is_waited_for_no_longer_than_said() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        start = time.monotonic()
        with pytest.raises(errors.Unreachable):
            certificate_fingerprint(f"https://127.0.0.1:{silent.getsockname()[1]}", 0.2)
        assert time.monotonic() - start < 5.0


def test_only_an_https_address_has_a_certificate() -> None:
    with pytest.raises(ValueError, match="https"):
        certificate_fingerprint("http://127.0.0.1", 1.0)


def test_fingerprints_are_brought_into_one_form() -> None:
    assert normal_fingerprint(" AB:" * 31 + "CD\n") == "ab" * 31 + "cd"


@pytest.mark.parametrize("text", ["", "ab" * 20, "zz" * 32, "ab" * 33])
def test_what_is_no_fingerprint_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="fingerprint"):
        normal_fingerprint(text)
