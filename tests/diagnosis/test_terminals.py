"""What is said of the terminals in use."""

from ipaddress import ip_network

import pytest
from flask import Flask
from sqlalchemy import update

from hikflask.diagnosis import terminals
from hikflask.extensions import db
from hikflask.models import Terminal
from hikflask.services.attention import terminal_problems
from hikflask.services.terminals import registry
from hikflask.services.terminals.registry import Access
from hikflask.simulator import SimulatorServer
from hikflask.simulator import Terminal as Simulated
from tests.conftest import HOST, PASSWORD
from tests.processes.processes import free_port

PLACE = f"Terminal “Вход” (http://{HOST})"


def told(app: Flask) -> list[tuple[bool, str]]:
    with app.app_context():
        return [(finding.is_good, finding.sentence) for finding in terminals.check()]


def test_without_terminals_it_is_said_how_to_add_one(app: Flask) -> None:
    assert told(app) == [(True, "There are no terminals yet: `hikflask terminal add NAME URL USERNAME` adds one.")]


@pytest.mark.usefixtures("terminal")
def test_terminal_that_answers_is_asked_and_good(app: Flask, simulator: Simulated) -> None:
    assert told(app) == [(True, f"{PLACE} answers, and its login works.")]
    assert simulator.log


def test_terminal_that_is_off_is_said(app: Flask) -> None:
    del app.extensions["terminal_transport"]
    url = f"http://127.0.0.1:{free_port()}"
    with app.app_context():
        registry.add(Access("Вход", url, "admin", PASSWORD))

    assert told(app) == [
        (False, f"Terminal “Вход” ({url}) does not answer: is it on, and in a network that this machine reaches?")
    ]


def test_terminal_whose_name_leads_nowhere_is_told_apart(app: Flask) -> None:
    del app.extensions["terminal_transport"]
    with app.app_context():
        registry.add(Access("Вход", "http://gate.invalid", "admin", PASSWORD))

    assert told(app) == [
        (
            False,
            "Terminal “Вход” (http://gate.invalid) has a name that this machine cannot resolve: correct it, or put its "
            "IP address in its place, on its page.",
        )
    ]


@pytest.mark.usefixtures("terminal")
def test_refused_password_is_said_and_nothing_more_is_sent(app: Flask, simulator: Simulated) -> None:
    simulator.login.password = "Changed99"
    first = told(app)
    simulator.log.clear()

    assert (
        first
        == told(app)
        == [
            (False, f"{PLACE} refused our password; nothing more is sent to it until another one is typed on its page.")
        ]
    )
    assert simulator.log == []


def test_every_trouble_has_a_sentence() -> None:
    assert set(terminals.SENTENCES) == set(terminal_problems.KINDS)


def test_terminal_in_no_allowed_network_is_told_by_the_setting(app: Flask) -> None:
    del app.extensions["terminal_transport"]
    with app.app_context():
        registry.add(Access("Вход", "http://127.0.0.1:9", "admin", PASSWORD))
    app.config["TERMINAL_NETWORKS"] = (ip_network("10.0.0.0/8"), ip_network("192.168.0.0/16"))

    assert told(app) == [
        (
            False,
            "Terminal “Вход” (http://127.0.0.1:9) is kept out by HIKFLASK_TERMINAL_NETWORKS (10.0.0.0/8, "
            "192.168.0.0/16), which its address is not in: add its network there, and then `systemctl restart "
            "hikflask`.",
        )
    ]


def test_address_that_no_terminal_may_have_is_told_apart(app: Flask) -> None:
    del app.extensions["terminal_transport"]
    with app.app_context():
        registry.add(Access("Вход", "http://127.0.0.1:9", "admin", PASSWORD))
        db.session.execute(update(Terminal).values(url="http://169.254.7.7"))
        db.session.commit()

    assert told(app) == [
        (
            False,
            "Terminal “Вход” (http://169.254.7.7) has an address that no terminal may have, whatever "
            "HIKFLASK_TERMINAL_NETWORKS is: correct it on its page.",
        )
    ]


@pytest.mark.usefixtures("terminal")
def test_terminal_that_does_not_do_what_is_required_is_told_by_the_setting(app: Flask, simulator: Simulated) -> None:
    def required(what: str) -> list[tuple[bool, str]]:
        app.config["TERMINAL_REQUIRE"] = (what,)
        app.extensions["terminal_clients"].close()
        return told(app)

    by_http, by_md5 = required("https"), required("sha256")

    assert by_http == [
        (
            False,
            f"{PLACE} is kept out by HIKFLASK_TERMINAL_REQUIRE, which asks for https: give it its https address on its "
            "page, or take https out of the setting.",
        )
    ]
    assert by_md5 == [
        (
            False,
            f"{PLACE} is kept out by HIKFLASK_TERMINAL_REQUIRE, which asks for sha256, which it does not offer: bring "
            "its firmware up to date, or take sha256 out of the setting.",
        )
    ]
    assert simulator.log


def test_other_certificate_is_told(app: Flask) -> None:
    del app.extensions["terminal_transport"]
    with SimulatorServer(Simulated(PASSWORD), https=True) as server, app.app_context():
        registry.add(Access("Вход", server.url, "admin", PASSWORD, fingerprint="ab" * 32))
        (finding,) = terminals.check()

    assert finding.sentence == (
        f"Terminal “Вход” ({server.url}) is not spoken to, since it shows another certificate than was agreed on: an "
        "administrator has to confirm it on its page."
    )
