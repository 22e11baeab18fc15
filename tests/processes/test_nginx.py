"""nginx as it is shipped: who gets no answer, what is too much, what is logged, what is said when the app is away."""

import os
import re
import socket
import ssl
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from hikflask.diagnosis import Finding, proxy
from tests.processes.nginx import FROM, NAME, PAGE, Answer, Nginx, answering, holding, make_certificate, program
from tests.processes.processes import IPV4, ROOT

# Of the 15 s that nginx waits for a head one is left.
QUICKER = 15
TOO_LARGE = '{"error": "request_entity_too_large", "message": "The body is too large."}'
TOO_LARGE_PAGE = (
    "<h1>Файл слишком большой</h1>",
    "Фото может занимать не больше 10 МБ, таблица сотрудников — 20 МБ, архив фото — 500 МБ. "
    "Вернитесь назад и выберите файл поменьше: введённое осталось на той странице.",
    "<h1>The file is too large</h1>",
    "A photo may have 10 MB at most, a table of employees 20 MB, an archive of photos 500 MB. "
    "Go back and choose a smaller file: what you typed is still on that page.",
)
BAD_REQUEST = '{"error": "bad_request", "message": "Address or headers are too long, or the request is broken."}'
BAD_REQUEST_PAGE = (
    "<h1>Запрос не прочитан</h1>",
    "Адрес страницы слишком длинный, или запрос повреждён. Вернитесь назад и сократите то, что ищете. "
    "Если не поможет, удалите файлы cookie этого сайта в настройках браузера и войдите снова.",
    "<h1>The request could not be read</h1>",
    "The address of the page is too long, or the request is broken. Go back and search for something shorter. "
    "If that does not help, delete the cookies of this site in the browser’s settings and sign in again.",
)
AWAY = ("Страница сейчас не отвечает", "The page does not answer right now")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate of the name that is shipped, with its key."""
    path = tmp_path_factory.mktemp("certificate") / "both.pem"
    make_certificate(path)
    return path


@pytest.fixture
def nginx(certificate: Path) -> Iterator[Nginx]:
    """nginx with nothing behind it; skips without one, save in CI."""
    with started(certificate) as server:
        yield server


@contextmanager
def started(certificate: Path, quicker: int = 1) -> Iterator[Nginx]:
    """Have nginx run, which gives up waiting so many times sooner; skip without one, save in CI."""
    if program() is None:
        assert not os.environ.get("CI"), "nginx must be installed in CI"
        pytest.skip("nginx is not installed")
    with TemporaryDirectory() as folder:
        server = Nginx(Path(folder), certificate, quicker)
        server.start()
        try:
            yield server
        finally:
            server.stop()


def statuses_of(nginx: Nginx, request: str, count: int) -> Counter[int]:
    """The statuses of the same request, sent so often at once on one connection."""
    return statuses_from(nginx, request, [IPV4] * count)


def statuses_from(nginx: Nginx, request: str, addresses: Sequence[str]) -> Counter[int]:
    """The statuses of the same request, which comes once from each address, all of them at once on one connection."""
    heads = [f"{request} HTTP/1.1\r\nHost: {NAME}\r\n{FROM}: {address}\r\n" for address in addresses]
    with nginx.connected() as sock:
        sock.sendall(("\r\n".join(heads) + "Connection: close\r\n\r\n").encode())
        answered = b"".join(iter(lambda: sock.recv(1 << 16), b""))
    return Counter(int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3}) ", answered))


class TestWhoIsAnswered:
    def test_other_names_get_no_answer_by_http(self, nginx: Nginx) -> None:
        with answering(nginx.upstream) as seen:
            assert [nginx.plainly(host) for host in ("evil.example", IPV4)] == [b"", b""]
            assert seen.requests == []

    def test_terminals_tell_by_the_address(self, nginx: Nginx) -> None:
        with answering(nginx.upstream) as seen:
            for host in (f"{IPV4}:80", NAME):
                answer = nginx.plainly(host, "/events/push/secret-of-a-terminal", body=b"{" * 3_000_000)
                assert answer.startswith(b"HTTP/1.1 200 ")
            assert nginx.plainly(IPV4, "/events/", body=b"{}") == b""

            others = [
                nginx.plainly(host, path, body=body)
                for host in (IPV4, NAME)
                for path, body in (
                    ("/events/push/secret-of-a-terminal", None),
                    ("/events/push/", b"{}"),
                    ("/events/push/secret/", b"{}"),
                    ("/events/push/secret/more", b"{}"),
                    ("/events/push/secret%2Fmore", b"{}"),
                    # The service sees an address as it was sent, and would answer with the page to sign in.
                    ("/employees/../events/push/secret", b"{}"),
                    ("//events//push/secret", b"{}"),
                    ("/events/push/%73ecret", b"{}"),
                )
            ]
            for answer in others:
                head, _, sent = answer.partition(b"\r\n\r\n")
                assert head.startswith(b"HTTP/1.1 404 ")
                assert (b"\r\nContent-Length: 0" in head, sent) == (True, b"")

        told = [(method, path, head["Host"], head["X-Forwarded-Proto"]) for method, path, head in seen.requests]
        assert told == [("POST", "/events/push/secret-of-a-terminal", NAME, "http")] * 2

    @pytest.mark.parametrize("name", ["evil.example", None])
    def test_other_names_get_no_certificate_by_https(self, nginx: Nginx, name: str | None) -> None:
        with pytest.raises(ssl.SSLError, match="UNRECOGNIZED_NAME"):
            nginx.connected(name)

    def test_another_host_than_the_certificates_gets_no_answer(self, nginx: Nginx) -> None:
        with answering(nginx.upstream) as seen:
            with pytest.raises(ConnectionError):
                nginx.ask("/", host="evil.example")
            assert seen.requests == []

    def test_http_leads_to_https_and_to_nothing_else(self, nginx: Nginx) -> None:
        answer = nginx.plainly(NAME, "/employees/?q=1").decode()

        assert answer.startswith("HTTP/1.1 301 ")
        assert "\r\nLocation: https://hikflask.example/employees/?q=1\r\n" in answer

    def test_suite_without_forward_secrecy_is_refused(self, nginx: Nginx) -> None:
        with nginx.connected(ciphers="ECDHE-RSA-AES128-GCM-SHA256") as good:
            assert good.version() == "TLSv1.2"
        for suites in ("AES256-GCM-SHA384", "AES128-SHA256:AES128-SHA", "ECDHE-RSA-AES128-SHA"):
            with pytest.raises(ssl.SSLError):
                nginx.connected(ciphers=f"{suites}:@SECLEVEL=0")

    def test_app_is_told_where_a_request_came_from_whatever_the_request_says(self, nginx: Nginx) -> None:
        forged = {"X_Forwarded_For": "203.0.113.66", "X_Forwarded_Proto": "http"}
        with answering(nginx.upstream) as seen:
            answer = nginx.ask("/health", host=f"{NAME}:8443", **forged)

        assert answer.status == 200
        ((_, _, headers),) = seen.requests
        told = [headers.get_all(name) for name in ("X-Forwarded-For", "X-Forwarded-Proto", "Host")]
        assert told == [[IPV4], ["https"], [f"{NAME}:8443"]]

    def test_browsers_are_told_to_come_by_https(self, nginx: Nginx) -> None:
        away = nginx.ask("/employees/")
        with answering(nginx.upstream):
            found = nginx.ask("/employees/")

        for answer in (away, found):
            assert answer.headers.get_all("Strict-Transport-Security") == ["max-age=31536000"]

    def test_length_of_a_page_tells_nothing_of_its_content(self, nginx: Nginx) -> None:
        with answering(nginx.upstream):
            answer = nginx.ask("/employees/", Accept_Encoding="gzip")

        assert answer.text == PAGE.decode()
        assert answer.headers["Content-Encoding"] is None


class TestIPv6:
    def test_same_is_served_there(self, nginx: Nginx, ipv6: str) -> None:
        with answering(nginx.upstream) as seen:
            answer = nginx.ask("/health", address=ipv6)
            others = [nginx.plainly(host, address=ipv6) for host in ("evil.example", f"[{ipv6}]")]

        assert (answer.status, answer.text) == (200, PAGE.decode())
        assert [headers["X-Forwarded-For"] for _, _, headers in seen.requests] == [ipv6]
        assert others == [b"", b""]
        assert nginx.plainly(NAME, address=ipv6).startswith(b"HTTP/1.1 301 ")
        with pytest.raises(ssl.SSLError, match="UNRECOGNIZED_NAME"):
            nginx.connected(None, address=ipv6)

    def test_doctor_finds_it_there(self, nginx: Nginx, ipv6: str) -> None:
        headers = {"Content-Security-Policy": "default-src 'self'", "X-Content-Type-Options": "nosniff"}
        with answering(nginx.upstream, headers):
            _, *found = proxy.check([NAME], ipv6, nginx.https, nginx.http)

        assert [finding.is_good for finding in found] == [True, True]

    def test_addresses_of_one_network_count_as_one(self, nginx: Nginx) -> None:
        of_one = [f"2001:db8:1:2:{number:x}::1" for number in range(60)]
        of_many = [f"2001:db8:1:{number + 3:x}::1" for number in range(60)]
        of_ipv4 = [f"192.0.2.{number}" for number in range(60)]
        with answering(nginx.upstream):
            passwords = [statuses_from(nginx, "POST /sign-in", addresses) for addresses in (of_one, of_many, of_ipv4)]

        assert passwords[0][429] >= 30
        assert passwords[1:] == [{200: 60}] * 2


class TestLimits:
    def test_head_that_does_not_end_is_given_up_also_of_the_first_request(self, certificate: Path) -> None:
        half = f"GET / HTTP/1.1\r\nHost: {NAME}\r\n".encode()
        with started(certificate, QUICKER) as nginx, ExitStack() as stack:
            plain = stack.enter_context(socket.create_connection((IPV4, nginx.http)))
            first, second = (stack.enter_context(nginx.connected()) for _ in range(2))
            second.sendall(half + b"\r\n")
            answer = second.recv(1 << 16)
            for sock in (plain, first, second):
                sock.settimeout(10)
                sock.sendall(half)

            # All that comes until nginx closes; where it does not, this fails.
            rest = [b"".join(iter(partial(sock.recv, 1 << 16), b"")) for sock in (plain, first, second)]

        assert answer.startswith(b"HTTP/1.1 503 ")
        assert [b"HTTP/1.1 " in one for one in rest] == [False, False, False]

    def test_an_office_behind_one_address_is_not_limited(self, nginx: Nginx) -> None:
        with answering(nginx.upstream):
            assert statuses_of(nginx, "GET /employees/1/enrolments", 300) == {200: 300}

    def test_flood_from_one_address_is(self, nginx: Nginx) -> None:
        statuses = statuses_of(nginx, "GET /employees/", 999)

        assert statuses[503] >= 400
        assert statuses[429] >= 100

    def test_passwords_are_tried_more_slowly_and_pages_meanwhile_are_not(self, nginx: Nginx) -> None:
        with answering(nginx.upstream) as seen:
            tried = statuses_of(nginx, "POST /sign-in", 60)
            other = statuses_of(nginx, "GET /sign-in", 60)

        assert 21 <= tried[200] <= 30
        assert tried[200] + tried[429] == 60
        assert other == {200: 60}
        assert Counter(method for method, _, _ in seen.requests) == {"POST": tried[200], "GET": 60}

    @pytest.mark.parametrize("path", ["/first-run", "/confirm", "/account/password", "//sign-in", "/%73ign-in"])
    def test_so_are_all_other_passwords(self, nginx: Nginx, path: str) -> None:
        with answering(nginx.upstream):
            assert statuses_of(nginx, f"POST {path}", 60)[429] >= 30

    def test_files_of_an_import_are_longer_than_those_of_other_pages(self, nginx: Nginx) -> None:
        photo = "x" * 12_000_000
        with answering(nginx.upstream):
            through = [nginx.ask(path, "POST", body=photo).status for path in ("/imports/", "/api/users/import")]
            refused = [nginx.ask(path, "POST", body=photo).status for path in ("/employees/", "/api/users/")]
            call = nginx.ask("/api/users/", "POST", body=photo)

        assert (through, refused) == ([200, 200], [413, 413])
        assert call.text == TOO_LARGE

    def test_one_address_has_no_more_than_64_requests_at_once_and_is_told_when_to_come_again(
        self, nginx: Nginx
    ) -> None:
        with holding(nginx, 64):
            page, call = nginx.ask("/employees/"), nginx.ask("/api/users/")

        assert (page.status, call.status) == (429, 429)
        assert all(sentence in page.text for sentence in AWAY)
        assert call.text == (
            '{"error": "too_many_requests", "message": "Too many calls from this address: wait and try again."}'
        )
        assert (page.headers["Retry-After"], call.headers["Retry-After"]) == ("30", "5")


class TestDoctor:
    def looked(self, nginx: Nginx, host: str = NAME) -> list[Finding]:
        return list(proxy.check([host], https=nginx.https, plain=nginx.http))

    def test_headers_that_protect_the_pages_are_looked_for(self, nginx: Nginx) -> None:
        tomorrow = f"{datetime.now(UTC) + timedelta(days=1):%Y-%m-%d}"
        headers = {"Content-Security-Policy": "default-src 'self'", "X-Content-Type-Options": "nosniff"}

        away = self.looked(nginx)
        with answering(nginx.upstream):
            bare = self.looked(nginx)
        with answering(nginx.upstream, headers):
            good = self.looked(nginx)

        certificate = Finding(False, f"The certificate of {NAME} ends on {tomorrow}: renew it.")
        redirect = Finding(True, "Who comes by http is led to https.")
        assert away == [
            certificate,
            Finding(False, f"https://{NAME}/health answers 503: `journalctl -u hikflask -u nginx` says why."),
            redirect,
        ]
        assert bare == [
            certificate,
            Finding(
                False,
                f"https://{NAME} answers without Content-Security-Policy, X-Content-Type-Options: "
                "compare nginx's site with deploy/nginx.conf.",
            ),
            redirect,
        ]
        assert good == [
            certificate,
            Finding(True, f"nginx serves https://{NAME} with the headers that protect the pages."),
            redirect,
        ]

    def test_name_that_nginx_does_not_serve_is_said(self, nginx: Nginx) -> None:
        (finding,) = self.looked(nginx, "other.example")

        assert not finding.is_good
        assert finding.sentence.startswith(f"nginx does not serve other.example at {IPV4} (")

    def test_other_site_that_answers_as_ours_is_missing_is_said(self, nginx: Nginx, tmp_path: Path) -> None:
        with answering(nginx.upstream, status=404):
            _, finding, _ = proxy.check([NAME], https=nginx.https, plain=nginx.http, site=tmp_path / "hikflask")

        assert finding == Finding(
            False,
            f"Another site of nginx answers for {NAME}: {tmp_path}/hikflask is missing: `ln -s "
            f"../sites-available/hikflask {tmp_path}/hikflask` puts it back, or deploy/install.sh where that file is "
            "missing, too; then `systemctl reload nginx`.",
        )

    def test_pages_that_answer_to_any_name_are_said(self) -> None:
        assert list(proxy.check([])) == [
            Finding(
                False,
                "HIKFLASK_HOSTS is not set, so pages answer to any name: set it to the name that people type.",
            )
        ]


class TestMetrics:
    def test_only_who_sends_a_token_is_passed_on(self, nginx: Nginx) -> None:
        with answering(nginx.upstream) as seen:
            refused = [nginx.ask("/metrics").status, nginx.ask("/metrics", Authorization="Basic YTpi").status]
            passed = nginx.ask("/metrics", Authorization="Bearer abc")

        assert (refused, passed.status, passed.text) == ([401, 401], 200, PAGE.decode())
        assert [path for _, path, _ in seen.requests] == ["/metrics"]

    def test_service_that_is_away_is_told_in_json(self, nginx: Nginx) -> None:
        answer = nginx.ask("/metrics", Authorization="Bearer abc")

        assert answer.text == '{"error": "unavailable", "message": "The service does not answer."}'


class TestLog:
    def test_no_name_and_no_query_is_logged(self, nginx: Nginx) -> None:
        paths = ("/employees/?q=Ivanov", "/uploads/100222_abc.jpg", "/api/users/?q=Ivanov", "/events/push/100222")
        referrer = "https://hikflask.example/employees/?q=Ivanov"
        with answering(nginx.upstream):
            for path in paths:
                nginx.ask(path, Referer=referrer)
        for path in paths:
            nginx.ask(path, Referer=referrer)
        statuses_of(nginx, "GET /employees/?q=Ivanov", 999)
        nginx.plainly(NAME, paths[0])
        nginx.plainly("evil.example", paths[0])
        nginx.plainly(NAME, paths[3])
        nginx.plainly(IPV4, paths[3])

        logged = nginx.logs()

        assert "Ivanov" not in logged
        assert "100222" not in logged
        assert "referrer" not in logged
        assert [line.split()[2:5] for line in logged.splitlines()][:8] == [
            ["GET", "/employees/", "200"],
            ["GET", "/uploads/", "200"],
            ["GET", "/api/users/", "200"],
            ["GET", "/events/push/", "200"],
            ["GET", "/employees/", "503"],
            ["GET", "/uploads/", "503"],
            ["GET", "/api/users/", "503"],
            ["GET", "/events/push/", "503"],
        ]
        assert " 429 " in logged


class TestAway:
    def test_page_says_what_to_do_in_both_languages(self, nginx: Nginx) -> None:
        answer = nginx.ask("/employees/", "POST")

        assert (answer.status, answer.headers["Retry-After"]) == (503, "30")
        assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
        assert all(sentence in answer.text for sentence in AWAY)
        assert not re.search(r"<(script|style|link|img)|\son\w+=|\sstyle=", answer.text)

    def test_api_says_so_in_json(self, nginx: Nginx) -> None:
        answer = nginx.ask("/api/users/")

        assert (answer.status, answer.headers["Content-Type"]) == (503, "application/json")
        assert answer.text == '{"error": "unavailable", "message": "The service does not answer."}'
        assert answer.headers["Retry-After"] == "30"

    def test_page_is_not_there_by_its_own_address(self, nginx: Nginx) -> None:
        assert nginx.ask("/hikflask_away.html").status == 404


class TestTooLarge:
    """Of what is too large nginx itself says so, before all of it has come."""

    def answer(self, nginx: Nginx, path: str, **more: str) -> Answer:
        return nginx.ask(path, "POST", Content_Length=str(600_000_000), **more)

    def test_page_says_in_both_languages_how_large_a_file_may_be(self, nginx: Nginx) -> None:
        for path in ("/employees/", "/imports/", "/nothing"):
            answer = self.answer(nginx, path)

            assert (answer.status, answer.headers["Content-Type"]) == (413, "text/html; charset=utf-8"), path
            text = " ".join(answer.text.split())
            assert all(sentence in text for sentence in TOO_LARGE_PAGE), path
            assert answer.headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"
            assert not re.search(r"<(script|style|link|img)|\son\w+=|\sstyle=", answer.text)
        assert nginx.ask("/hikflask_too_large.html").status == 404

    def test_third_large_upload_at_once_is_told_to_wait_and_not_that_it_is_too_large(self, nginx: Nginx) -> None:
        with ExitStack() as stack:
            for _ in range(2):
                sock = stack.enter_context(nginx.connected())
                head = f"POST /imports/ HTTP/1.1\r\nHost: {NAME}\r\nContent-Length: 500000000\r\n\r\n"
                sock.sendall(head.encode() + b"x" * 2_000_000)
            page, call = (
                nginx.ask(path, "POST", Content_Length=str(500_000_000)) for path in ("/imports/", "/api/users/import")
            )

        assert (page.status, page.headers["Retry-After"]) == (429, "30")
        assert all(sentence in page.text for sentence in AWAY)
        assert (call.status, call.headers["Retry-After"]) == (429, "5")

    def test_programs_are_told_in_json(self, nginx: Nginx) -> None:
        for path in ("/api/users/", "/api/users/import", "/metrics"):
            answer = self.answer(nginx, path, Authorization="Bearer abc")

            assert (answer.status, answer.headers["Content-Type"], answer.text) == (413, "application/json", TOO_LARGE)


class TestBadRequest:
    """Of what nginx cannot read it says so in the language of whoever asked."""

    def answers(self, nginx: Nginx, path: str) -> list[Answer]:
        return [
            nginx.ask(f"{path}?q={'a' * 9000}"),
            nginx.ask(path, X_Long="a" * 9000),
            nginx.ask(path, **{f"X_{count}": "a" * 7000 for count in range(5)}),
            nginx.ask(path, "POST", Content_Length="many"),
            nginx.ask(path, "POST", body="no chunk\r\n", Transfer_Encoding="chunked"),
        ]

    def test_page_says_in_both_languages_what_to_do(self, nginx: Nginx) -> None:
        with answering(nginx.upstream) as seen:
            for path in ("/employees/", "/imports/", "/apiary"):
                answers = self.answers(nginx, path)

                assert [answer.status for answer in answers] == [414, 400, 400, 400, 400], path
                for answer in answers:
                    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
                    assert all(sentence in " ".join(answer.text.split()) for sentence in BAD_REQUEST_PAGE)
                    assert answer.headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"
                    assert not re.search(r"<(script|style|link|img)|\son\w+=|\sstyle=", answer.text)
            assert nginx.ask("/hikflask_bad_request.html").status == 404
            assert seen.requests == []

    def test_programs_are_told_in_json(self, nginx: Nginx) -> None:
        for path in ("/api/users/", "/api/users/import"):
            answers = self.answers(nginx, path)

            assert [answer.status for answer in answers] == [414, 400, 400, 400, 400], path
            assert {(answer.headers["Content-Type"], answer.text) for answer in answers} == {
                ("application/json", BAD_REQUEST)
            }


@pytest.mark.usefixtures("nginx")
@pytest.mark.parametrize(("monitoring", "status"), [("192.168.1.20", 403), (IPV4, 200)])
def test_location_of_the_guide_answers_the_monitoring_alone(certificate: Path, monitoring: str, status: int) -> None:
    found = re.search(r"```nginx\n(.*?)```", (ROOT / "docs/en/monitoring.md").read_text(), re.DOTALL)
    assert found
    with TemporaryDirectory() as folder:
        server = Nginx(Path(folder), certificate)
        location = found[1].replace("/etc/nginx", folder).replace("192.168.1.20", monitoring)
        site = server.folder / "nginx.conf"
        site.write_text(site.read_text().replace("location /api/ {", f"{location}location /api/ {{", 1))
        server.start()
        with answering(server.upstream):
            assert [server.ask(path).status for path in ("/health/ready", "/health")] == [status, 200]
        server.stop()
