"""What is said of the certificate that nginx shows."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hikflask.diagnosis import Finding, certificate, good, unknown, wrong
from tests.processes.processes import ROOT
from tests.support import certificates
from tests.support.accounts import as_nobody
from tests.support.certificates import DAY

HOST = "hikflask.example"
NOWHERE = Path("/nowhere")


def day(after: timedelta) -> str:
    return f"{datetime.now(UTC) + after:%Y-%m-%d}"


def of_names(names: list[str], *hosts: str) -> list[Finding]:
    """What is said of the names of a certificate, after its validity."""
    shown, _ = certificates.certificate(names)
    return list(certificate.check(hosts, shown, NOWHERE))[1:]


def test_certificate_that_holds_for_three_months_is_good() -> None:
    shown, _ = certificates.certificate([HOST])

    assert list(certificate.check([HOST], shown, NOWHERE)) == [
        good(f"The certificate of {HOST} ends on {day(90 * DAY)}.")
    ]


def test_certificate_that_ends_soon_or_has_ended_or_has_not_begun_is_said() -> None:
    soon, _ = certificates.certificate([HOST], ends=29 * DAY)
    ended, _ = certificates.certificate([HOST], begins=-9 * DAY, ends=-2 * DAY)
    later, _ = certificates.certificate([HOST], begins=2 * DAY)

    told = [finding for shown in (soon, ended, later) for finding in certificate.check([HOST], shown, NOWHERE)]

    assert told[:2] == [
        wrong(f"The certificate of {HOST} ends on {day(29 * DAY)}: renew it."),
        wrong(f"The certificate of {HOST} ended on {day(-2 * DAY)}, so browsers refuse it: renew it."),
    ]
    assert not told[2].is_good
    assert told[2].sentence.startswith(f"The certificate of {HOST} is not valid before {day(2 * DAY)} ")
    assert told[2].sentence.endswith(": set this machine's clock, or use another certificate until then.")


def test_names_that_the_certificate_lacks_are_said() -> None:
    cure = "have one made for all names in HIKFLASK_HOSTS, or take those out that nobody types."

    assert of_names([HOST, "www.example"], HOST, "other.example", "door") == [
        wrong(
            f"The certificate is for {HOST}, www.example, and not for other.example, door, so browsers refuse it "
            f"there: {cure}"
        )
    ]
    assert of_names([], HOST) == [
        wrong(f"The certificate is for no name, and not for {HOST}, so browsers refuse it there: {cure}")
    ]


def test_stars_cover_one_part_of_a_name_and_this_machines_own_names_need_none() -> None:
    assert of_names(["*.example"], "Hikflask.example", ".example", "localhost", "127.0.0.1", "[::1]") == []
    assert len(of_names(["*.example"], "a.b.example")) == 1


class TestFile:
    @pytest.fixture
    def file(self, tmp_path: Path) -> Path:
        """The file that the site names."""
        return tmp_path / "hikflask.pem"

    @pytest.fixture
    def site(self, tmp_path: Path, file: Path) -> Path:
        """nginx's site as it is shipped, with the file elsewhere."""
        text = (ROOT / "deploy/nginx.conf").read_text(encoding="utf-8")
        (tmp_path / "site").write_text(text.replace("/etc/ssl/certs/hikflask.pem", str(file)))
        return tmp_path / "site"

    def told(self, shown: bytes, site: Path) -> Finding:
        return list(certificate.check([HOST], shown, site))[-1]

    def test_certificate_in_the_file_is_the_one_that_is_served(self, site: Path, file: Path) -> None:
        shown, pem = certificates.certificate([HOST])
        file.write_bytes(pem)

        assert self.told(shown, site) == good(f"nginx serves the certificate in {file}.")

    def test_other_certificate_in_the_file_was_not_taken_perhaps_for_its_key(self, site: Path, file: Path) -> None:
        shown, _ = certificates.certificate([HOST])
        file.write_bytes(certificates.certificate([HOST])[1])

        assert self.told(shown, site) == wrong(
            f"nginx serves another certificate than the one in {file}: `nginx -t` says to root whether its key fits, "
            "then `systemctl reload nginx`."
        )

    def test_file_without_which_nginx_cannot_start_again_is_said(self, site: Path, file: Path) -> None:
        shown, _ = certificates.certificate([HOST])
        missing = self.told(shown, site)
        file.write_text("no certificate")

        cure = "put the certificate there, and `nginx -t` says to root whether its key fits."
        assert missing == wrong(
            f"nginx cannot start again, since {file} cannot be used (No such file or directory): {cure}"
        )
        assert self.told(shown, site) == wrong(
            f"nginx cannot start again, since {file} cannot be used (it holds no certificate): {cure}"
        )

    @pytest.mark.skipif(os.geteuid() != 0, reason="only root is somebody else")
    def test_file_that_the_account_may_not_read_is_not_known(self, closed: Path, site: Path, file: Path) -> None:
        hidden = closed / "live" / "fullchain.pem"
        text = site.read_text(encoding="utf-8").replace(str(file), str(hidden))
        shown, _ = certificates.certificate([HOST])
        open_site = closed.with_name(f"{closed.name}-site")
        open_site.write_text(text)

        with as_nobody():
            found = self.told(shown, open_site)

        open_site.unlink()
        assert found == unknown(
            f"Whether nginx serves the certificate in {hidden} cannot be known here, as nobody may not read it: "
            "`nginx -t` says to root whether its key fits."
        )
