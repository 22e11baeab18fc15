"""XML Spreadsheet 2003 as Excel writes it."""

from xml.sax.saxutils import escape

NAMES = (
    'xmlns="urn:schemas-microsoft-com:office:spreadsheet" xmlns:x="urn:schemas-microsoft-com:office:excel" '
    'xmlns:ss="urn:schemas-microsoft-com:office:spreadsheet" xmlns:html="http://www.w3.org/TR/REC-html40"'
)
# Style s6 is a number with six digits, s7 is like it.
STYLES = (
    '<Styles><Style ss:ID="Default"/><Style ss:ID="s6"><NumberFormat ss:Format="000000"/></Style>'
    '<Style ss:ID="s7" ss:Parent="s6"><Font/></Style></Styles>'
)


def cell(value: str = "", kind: str = "String", more: str = "") -> str:
    """A cell, or one without a value."""
    data = f'<Data ss:Type="{kind}">{escape(value)}</Data>' if value else ""
    return f"<Cell {more}>{data}</Cell>"


def row(*cells: str, more: str = "") -> str:
    return f"<Row {more}>{''.join(cells)}</Row>"


def sheet(*rows: str, name: str = "Лист1", after: str = "") -> str:
    """A sheet; columns come before its rows, what is said of it after them."""
    options = f'<WorksheetOptions xmlns="urn:schemas-microsoft-com:office:excel">{after}</WorksheetOptions>'
    return f'<Worksheet ss:Name="{name}"><Table>{"".join(rows)}</Table>{options}</Worksheet>'


def workbook(*sheets: str, before: str = "") -> bytes:
    begin = f'<?xml version="1.0"?>\r\n<?mso-application progid="Excel.Sheet"?>\r\n{before}'
    return f"{begin}<Workbook {NAMES}>{STYLES}{''.join(sheets)}</Workbook>".encode()
