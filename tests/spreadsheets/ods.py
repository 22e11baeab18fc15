"""ODS files written as LibreOffice writes them, and broken ones."""

from collections.abc import Mapping
from xml.sax.saxutils import escape

from tests.spreadsheets.workbooks import XML, packed

SPACES = " ".join(
    f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"' for name in ("office", "style", "table", "text")
)
OWN = 'xmlns:calcext="urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0"'
TYPE = "application/vnd.oasis.opendocument.spreadsheet"
# What fills the sheet to its end.
REST = '<table:table-row table:number-rows-repeated="1048000"><table:table-cell table:number-columns-repeated="16384"/>'
REST += "</table:table-row>"


def cell(shown: str, kind: str = "string", value: str = "", more: str = "") -> str:
    """A cell with what it shows; a number, day or boolean has its value, too."""
    name = {"date": "date-value", "boolean": "boolean-value"}.get(kind, "value")
    valued = f' office:{name}="{value}"' if value else ""
    return (
        f'<table:table-cell office:value-type="{kind}" calcext:value-type="{kind}"{valued} {more}>'
        f"<text:p>{escape(shown)}</text:p></table:table-cell>"
    )


def empty(repeated: int = 1) -> str:
    return f'<table:table-cell table:number-columns-repeated="{repeated}"/>'


def row(*cells: str, more: str = "") -> str:
    return f"<table:table-row {more}>{''.join(cells)}{empty(1020)}</table:table-row>"


def content(sheets: Mapping[str, str], hidden: tuple[str, ...] = (), before: str = "") -> str:
    """The XML of the sheets, from that of their rows."""
    styles = "".join(
        f'<style:style style:name="ta{number}" style:family="table"><style:table-properties table:display="{shown}"/>'
        "</style:style>"
        for number, shown in enumerate(("true", "false"))
    )
    tables = "".join(
        f'<table:table table:name="{name}" table:style-name="ta{int(name in hidden)}">{rows}{REST}</table:table>'
        for name, rows in sheets.items()
    )
    return (
        f"{XML}{before}<office:document-content {SPACES} {OWN}><office:automatic-styles>{styles}"
        f"</office:automatic-styles><office:body><office:spreadsheet>{tables}</office:spreadsheet></office:body>"
        "</office:document-content>"
    )


def parts(xml: str) -> dict[str, str | bytes]:
    """The files of a document."""
    manifest = f'{XML}<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>'
    return {"mimetype": TYPE, "content.xml": xml, "META-INF/manifest.xml": manifest}


def workbook(*rows: str) -> bytes:
    """A file with one sheet."""
    return packed(parts(content({"Лист1": "".join(rows)})))
