"""Imports as the services leave them, and the tables that they begin with."""

import io
from typing import Any

from flask.testing import FlaskClient
from werkzeug.datastructures import FileStorage
from werkzeug.test import TestResponse, encode_multipart

from hikflask.extensions import db
from hikflask.models import ImportBatch, ImportRow
from hikflask.models.columns import database_now
from hikflask.models.import_batch import VERDICTS

HEADERS = ["ID сотрудника", "ФИО", "Подразделение", "Уволен"]
LAYOUT = {
    "format": "csv",
    "encoding": "utf-8",
    "delimiter": ";",
    "header_line": 1,
    "columns": HEADERS,
    "sample": [["100222", "Иван Иванов", "Охрана", ""]],
    "rows": 1,
}
FIELDS = {"number": 0, "name": 1, "department": 2, "left": 3}


def add_import(*rows: ImportRow, checked: bool = False, **columns: Any) -> int:
    """Add an import of a table with these rows, checked or not, and return its id; needs an app context."""
    about: dict[str, Any] = {"requested_by": "Анна", "table_name": "люди.csv", "layout": LAYOUT, "fields": FIELDS}
    batch = ImportBatch(**{**about, **columns})
    if checked or rows:
        batch.checked_at = database_now()
        for verdict in VERDICTS:
            setattr(batch, verdict, sum(row.verdict == verdict for row in rows))
    db.session.add(batch)
    db.session.flush()
    for line, row in enumerate(rows, 2):
        row.batch_id, row.line = batch.id, line
        row.values = {"number": row.number, **(row.values or {})}
    db.session.add_all(rows)
    db.session.commit()
    return batch.id


def table(*rows: str, encoding: str = "utf-8") -> bytes:
    """A CSV file of semicolons with the usual headers and these rows."""
    return "\r\n".join([";".join(HEADERS), *rows, ""]).encode(encoding)


def upload(
    client: FlaskClient, content: bytes | None, photos: bytes | None = None, address: str = "/imports/", **form: Any
) -> TestResponse:
    """Send the form for the files; encoded here, since the client's own way leaves files open."""
    headers = form.pop("headers", None)
    sent: dict[str, Any] = dict(form)
    for field, name, data in (("table", "люди.csv", content), ("photos", "фото.zip", photos)):
        if data is not None:
            sent[field] = FileStorage(io.BytesIO(data), name, field)
    boundary, body = encode_multipart(sent)
    kind = f"multipart/form-data; boundary={boundary}"
    return client.post(address, data=body, content_type=kind, headers=headers)
