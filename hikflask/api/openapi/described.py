"""What a call says of itself beside its route, its role and its docstring: body, arguments, answers, refusals."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, TypeVar

from flask_wtf import FlaskForm

JSON, JPEG = "application/json", "image/jpeg"
Schema = dict[str, Any]
View = TypeVar("View", bound=Callable[..., Any])

WHOLE: Schema = {"type": "integer"}
FLAG: Schema = {"type": "boolean"}
FILE: Schema = {"type": "string", "format": "binary"}


def list_of(items: Schema) -> Schema:
    """Return the schema of a list."""
    return {"type": "array", "items": items}


def component(name: str) -> Schema:
    """Return the schema of something that has a name among the components (schemas.py)."""
    return {"$ref": f"#/components/schemas/{name}"}


@dataclass(frozen=True)
class Body:
    """A JSON body: the fields of a form, and those that are read beside it.

    `more`: fields that are no fields of the form. `changes`: only fields that are to change are given. `optional`: no
    body at all is fine. `days`: fields that are null for no day. `options`: what the form is made with.
    """

    form: type[FlaskForm] | None = None
    more: Mapping[str, Schema] = field(default_factory=dict)
    changes: bool = False
    optional: bool = False
    days: Sequence[str] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    example: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Files:
    """A body of the type multipart/form-data, with the schema of each part."""

    parts: Mapping[str, Schema]
    required: Sequence[str] = ()


@dataclass(frozen=True)
class Query:
    """The arguments behind the question mark: the fields of a form, and others with their schemas."""

    form: type[FlaskForm] | None = None
    more: Mapping[str, Schema] = field(default_factory=dict)


@dataclass(frozen=True)
class Description:
    """All that a call says of itself; see described()."""

    answers: Mapping[int, Schema]
    body: Body | Files | None = None
    query: Query | None = None
    refusals: Sequence[int] = ()
    headers: Sequence[str] = ()
    tagged: bool = False
    media: str = JSON


# What may come of waiting on a terminal.
OF_TERMINALS = (
    HTTPStatus.CONFLICT,
    HTTPStatus.BAD_GATEWAY,
    HTTPStatus.SERVICE_UNAVAILABLE,
    HTTPStatus.GATEWAY_TIMEOUT,
)


def described(
    answer: Schema,
    *,
    status: int = HTTPStatus.OK,
    other: Mapping[int, Schema] | None = None,
    body: Body | Files | None = None,
    query: Query | None = None,
    refusals: Sequence[int] = (),
    headers: Sequence[str] = (),
    tagged: bool = False,
    media: str = JSON,
) -> Callable[[View], View]:
    """Describe a call for /api/openapi.json.

    :param answer: the schema of the answer with `status`. :param other: further answers, by status.
    :param refusals: statuses that not every call has (document.py knows the others).
    :param headers: of the answers that are no refusals, by name (document.py has their schemas).
    :param tagged: the answer has an ETag, and a PUT takes If-Match.
    :param media: the type of the answers that are no refusals.
    """
    answers = {int(status): answer} | dict(other or {})

    def decorate(view: View) -> View:
        view.description = Description(answers, body, query, refusals, headers, tagged, media)  # type: ignore[attr-defined]
        return view

    return decorate


def description_of(view: Callable[..., Any]) -> Description | None:
    """Return what a call says of itself, or None."""
    return getattr(view, "description", None)
