"""The commands of docs/en/api.md and docs/ru/api.md, run as they stand there against the served app."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from hikflask.simulator import SimulatorServer
from tests.processes.conftest import add_terminal
from tests.processes.processes import ROOT, Served
from tests.processes.test_api_on_sockets import FACE

BLOCK = re.compile(r"^ *```(\w*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
# As 1С:ЗУП writes it: Windows-1251, semicolons, its own names of columns, quotation marks where there is a semicolon.
ZUP = (
    "Табельный номер;Сотрудник;Подразделение;Дата приема;Дата увольнения\r\n"
    '00000001;Кузнецова Мария Ивановна;"Склад; второй этаж";01.02.2020;\r\n'
    "100333;Ёлкина Ольга Петровна;Охрана;01.02.2020;15.03.2024\r\n"
)


def blocks(language: str) -> list[str]:
    """All blocks of commands: curl, 1С:ЗУП, Python."""
    text = (ROOT / f"docs/{language}/api.md").read_text(encoding="utf-8")
    found = [(kind, block) for kind, block in BLOCK.findall(text) if kind != "json"]
    assert [kind for kind, _ in found] == ["sh", "sh", "python"]
    return [block for _, block in found]


def plain(block: str) -> list[str]:
    """The commands without comments, and with texts in the place of names."""
    lines = [line.partition("#")[0].rstrip() for line in block.splitlines()]
    return [re.sub(r'"[^"]*[А-Яа-яA-Z][а-яa-z]+[^"]*"', '"…"', line) for line in lines if line]


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_every_command_of_the_guide_does_what_it_says(
    served: Served, simulator: SimulatorServer, tmp_path: Path
) -> None:
    assert [plain(block) for block in blocks("en")] == [plain(block) for block in blocks("ru")]
    curl, zup, python = blocks("ru")
    add_terminal(served, simulator, "Вход")
    simulator.terminal.present(FACE, stay=60)
    work = tmp_path / "work"
    work.mkdir()
    (work / "face.jpg").write_bytes(FACE)
    (work / "people.csv").write_text("ID,ФИО\n100333,Ольга Ёлкина\n", encoding="utf-8")
    (work / "zup.csv").write_bytes(ZUP.encode("cp1251"))
    (work / "example.py").write_text(python, encoding="utf-8")
    script = curl.replace("https://hikflask.example/api", f"{served.url}/api")
    environment = {
        **served._environment,
        "PYTHONPATH": str(ROOT),
        "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
        "LC_ALL": "C.UTF-8",
    }

    done = subprocess.run(
        ["bash", "-euc", f"{script}\n{zup}\nexport TOKEN API\npython example.py"],
        cwd=work,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert '"error"' not in done.stdout, done.stdout
    assert '"verified":true' in done.stdout
    assert done.stdout.rstrip().endswith("\n4")
    users = {one["hikvision_id"]: one for one in served.http.get(f"{served.url}/api/users/", timeout=20).json()}
    assert (users["00000001"]["full_name"], users["00000001"]["department"]) == (
        "Кузнецова Мария Ивановна",
        "Склад; второй этаж",
    )
    assert [number for number, one in users.items() if not one["is_active"]] == ["100333"]
    assert users["100500"]["department"] == "Склад"
    assert users["100333"]["full_name"] == "Ёлкина Ольга Петровна"
    assert simulator.terminal.people["100222"]["name"] == "Анна Смирнова"
