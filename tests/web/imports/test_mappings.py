"""Saved columns are listed, renamed and deleted."""

import pytest
from flask import Flask
from flask.testing import FlaskClient

from hikflask.services.imports.table import mappings
from hikflask.services.imports.table.options import DEFAULT
from tests.support.desk import ENGLISH
from tests.support.filled_forms import form_to

PAGE = "/imports/mappings"


@pytest.fixture
def kept(app: Flask) -> None:
    """Two mappings."""
    with app.app_context():
        mappings.save("Кадры", ["ID", "", "ФИО"], {"number": 0, "name": 2}, DEFAULT)
        mappings.save("Цех", ["ID"], {"number": 0}, DEFAULT)


def names(app: Flask) -> list[str]:
    with app.app_context():
        return [mapping.name for mapping in mappings.list_all()]


@pytest.mark.usefixtures("kept")
def test_mappings_are_renamed_and_deleted(app: Flask, client: FlaskClient) -> None:
    page = client.get(PAGE, headers=ENGLISH).text
    assert "<bdi>ID, ФИО</bdi>" in page

    renamed = form_to(page, f"{PAGE}/1").send(client, ENGLISH, name=" Отдел кадров ")
    page = client.get(PAGE, headers=ENGLISH).text
    assert (renamed.location, names(app)) == (PAGE, ["Отдел кадров", "Цех"])
    assert "The name is saved." in page
    form_to(page, f"{PAGE}/2/delete").send(client, ENGLISH)
    page = client.get(PAGE, headers=ENGLISH).text

    assert ("The columns are not kept any more." in page, names(app)) == (True, ["Отдел кадров"])
    assert client.post(f"{PAGE}/2/delete", headers=ENGLISH).location == PAGE
    assert "There are no saved columns with this name." in client.get(PAGE, headers=ENGLISH).text


@pytest.mark.usefixtures("kept")
def test_name_of_another_one_and_none_at_all_are_refused_and_stay_typed(app: Flask, client: FlaskClient) -> None:
    form = form_to(client.get(PAGE).text, f"{PAGE}/1")
    cases = {
        "Цех": (409, "Other saved columns have this name. Choose another name."),
        " ": (422, "“Name” must not be empty."),
    }
    for name, (status, sentence) in cases.items():
        answer = form.send(client, ENGLISH, name=name)

        assert (answer.status_code, sentence in answer.text) == (status, True)
        assert form_to(answer.text, f"{PAGE}/1").fields["name"] == name.strip()
    assert names(app) == ["Кадры", "Цех"]


def test_page_says_how_columns_are_kept_and_is_linked_from_the_imports(client: FlaskClient) -> None:
    assert "Give them a name when you choose the columns of a table." in client.get(PAGE, headers=ENGLISH).text
    assert f'href="{PAGE}"' in client.get("/imports/").text
