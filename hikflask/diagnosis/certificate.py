"""The certificate that nginx shows: whose it is, when it is valid, and whether it is the one in nginx's file."""

import re
from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509

from hikflask.diagnosis import Finding, access, good, unknown, wrong

SITE = Path("/etc/nginx/sites-enabled/hikflask")
FOLDER = "/etc/nginx"
FILE = re.compile(r"^\s*ssl_certificate\s+[\"']?([^;\"'\s$]+)[\"']?\s*;", re.MULTILINE)
EARLY = timedelta(days=30)
# What a certificate names by its address, and what only this machine calls itself.
NOT_BY_NAME = re.compile(r"localhost\Z|[0-9.]+\Z|\[")


def check(hosts: Sequence[str], shown: bytes, site: Path = SITE) -> Iterator[Finding]:
    """Check a certificate. :param hosts: HIKFLASK_HOSTS. :param shown: what the first of them shows, in DER."""
    certificate = x509.load_der_x509_certificate(shown)
    yield _validity(hosts[0].lstrip("."), certificate)
    names = _names(certificate)
    missing = [host for host in hosts if not NOT_BY_NAME.match(host) and not _covers(names, host)]
    if missing:
        yield wrong(
            f"The certificate is for {', '.join(names) or 'no name'}, and not for {', '.join(missing)}, so browsers "
            "refuse it there: have one made for all names in HIKFLASK_HOSTS, or take those out that nobody types."
        )
    yield from _is_in_file(certificate, site)


def _validity(host: str, certificate: x509.Certificate) -> Finding:
    now, begins, ends = datetime.now(UTC), certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if begins > now:
        return wrong(
            f"The certificate of {host} is not valid before {begins:%Y-%m-%d %H:%M} UTC, and here it is "
            f"{now:%Y-%m-%d %H:%M}: set this machine's clock, or use another certificate until then."
        )
    if ends < now:
        return wrong(f"The certificate of {host} ended on {ends:%Y-%m-%d}, so browsers refuse it: renew it.")
    text = f"The certificate of {host} ends on {ends:%Y-%m-%d}"
    return wrong(f"{text}: renew it.") if ends < now + EARLY else good(f"{text}.")


def _names(certificate: x509.Certificate) -> list[str]:
    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:  # Browsers look at nothing else.
        return []
    return [name.lower() for name in extension.value.get_values_for_type(x509.DNSName)]


def _covers(names: Collection[str], host: str) -> bool:
    host = host.lower()
    if host.startswith("."):  # All names below it.
        return f"*{host}" in names
    return host in names or f"*.{host.partition('.')[2]}" in names


def _is_in_file(shown: x509.Certificate, site: Path) -> Iterator[Finding]:
    """Compare with the file that nginx's site names. Its key is for root alone, but nginx takes no file without it."""
    try:
        named = FILE.search(site.read_text(encoding="utf-8"))
    except OSError:  # nginx is set up in another way.
        return
    if named is None:
        return
    file = Path(FOLDER, named[1])
    try:
        first = x509.load_pem_x509_certificates(file.read_bytes())[0]
    except PermissionError:
        yield unknown(
            f"Whether nginx serves the certificate in {file} cannot be known here, as {access.account()} may not read "
            "it: `nginx -t` says to root whether its key fits."
        )
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it holds no certificate"
        yield wrong(
            f"nginx cannot start again, since {file} cannot be used ({reason}): put the certificate there, and "
            "`nginx -t` says to root whether its key fits."
        )
    else:
        if first == shown:
            yield good(f"nginx serves the certificate in {file}.")
        else:
            yield wrong(
                f"nginx serves another certificate than the one in {file}: `nginx -t` says to root whether its key "
                "fits, then `systemctl reload nginx`."
            )
