"""XLSX files written part by part, as no library writes them: those of other programs, and broken ones."""

import io
from collections.abc import Mapping
from xml.sax.saxutils import escape
from zipfile import ZIP_DEFLATED, ZipFile

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
WORD = "application/vnd.openxmlformats-officedocument.spreadsheetml"
XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
# Style 1 is a day, style 2 a number with six digits. formatted() adds others.
STYLES = (
    f'{XML}<styleSheet xmlns="{MAIN}"><numFmts count="1"><numFmt numFmtId="164" formatCode="000000"/></numFmts>'
    '<fonts count="1"><font/></fonts><fills count="1"><fill><patternFill patternType="none"/></fill></fills>'
    '<borders count="1"><border/></borders><cellStyleXfs count="1"><xf/></cellStyleXfs>'
    '<cellXfs count="3"><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="164"/></cellXfs></styleSheet>'
)


def formatted(*codes: str) -> str:
    """The styles of a workbook, from 3 on with these formats of numbers."""
    formats = "".join(
        f'<numFmt numFmtId="{at}" formatCode="{escape(code, {chr(34): "&quot;"})}"/>'
        for at, code in enumerate(codes, 165)
    )
    styles = "".join(f'<xf numFmtId="{at}"/>' for at, _ in enumerate(codes, 165))
    return STYLES.replace("</numFmts>", f"{formats}</numFmts>").replace("</cellXfs>", f"{styles}</cellXfs>")


def sheet(rows: str, dimension: str = "", merged: tuple[str, ...] = (), after: str = "") -> str:
    """The XML of a sheet, from that of its rows, with ranges of merged cells and what else comes after the rows."""
    size = f'<dimension ref="{dimension}"/>' if dimension else ""
    ranges = "".join(f'<mergeCell ref="{one}"/>' for one in merged)
    rest = after + (f"<mergeCells>{ranges}</mergeCells>" if merged else "")
    return f'{XML}<worksheet xmlns="{MAIN}">{size}<sheetData>{rows}</sheetData>{rest}</worksheet>'


def row(number: int, *cells: str, more: str = "") -> str:
    """The XML of a row, from that of its cells."""
    return f'<row r="{number}"{more}>{"".join(cells)}</row>'


def text(place: str, value: str) -> str:
    """A cell with its text inside, as programs write it that do not collect texts."""
    return f'<c r="{place}" t="inlineStr"><is><t>{escape(value)}</t></is></c>'


def shared(place: str, index: int) -> str:
    """A cell with one of the texts that the workbook collects."""
    return f'<c r="{place}" t="s"><v>{index}</v></c>'


def number(place: str, value: str, style: int = 0) -> str:
    """A cell with a number, as text in the file."""
    return f'<c r="{place}" s="{style}"><v>{value}</v></c>'


def parts(
    sheets: Mapping[str, str], texts: tuple[str, ...] = (), hidden: tuple[str, ...] = ()
) -> dict[str, str | bytes]:
    """The parts of a workbook, by their paths: sheets by name, and the texts that cells share."""
    names = list(enumerate(sheets, 1))
    types = "".join(
        f'<Override PartName="/xl/worksheets/sheet{at}.xml" ContentType="{WORD}.worksheet+xml"/>' for at, _ in names
    )
    places = "".join(
        f'<Relationship Id="s{at}" Type="{OFFICE}/worksheet" Target="worksheets/sheet{at}.xml"/>' for at, _ in names
    )
    listed = "".join(
        f'<sheet name="{name}" sheetId="{at}" state="{"hidden" if name in hidden else "visible"}" r:id="s{at}"/>'
        for at, name in names
    )
    strings = "".join(f"<si><t>{escape(one)}</t></si>" for one in texts)
    return {
        "[Content_Types].xml": f'{XML}<Types xmlns="{PACKAGE}/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{WORD}.sheet.main+xml"/>{types}'
        f'<Override PartName="/xl/styles.xml" ContentType="{WORD}.styles+xml"/>'
        f'<Override PartName="/xl/sharedStrings.xml" ContentType="{WORD}.sharedStrings+xml"/></Types>',
        "_rels/.rels": f'{XML}<Relationships xmlns="{PACKAGE}/relationships">'
        f'<Relationship Id="w" Type="{OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'{XML}<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}"><sheets>{listed}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'{XML}<Relationships xmlns="{PACKAGE}/relationships">{places}'
        f'<Relationship Id="t" Type="{OFFICE}/styles" Target="styles.xml"/>'
        f'<Relationship Id="u" Type="{OFFICE}/sharedStrings" Target="sharedStrings.xml"/></Relationships>',
        "xl/styles.xml": STYLES,
        "xl/sharedStrings.xml": f'{XML}<sst xmlns="{MAIN}">{strings}</sst>',
        **{f"xl/worksheets/sheet{at}.xml": sheets[name] for at, name in names},
    }


def pictures(count: int) -> dict[str, str | bytes]:
    """The parts of a workbook that put pictures over the cells of its first sheet, and a chart."""
    drawing = "http://schemas.openxmlformats.org/drawingml/2006/spreadsheetDrawing"
    anchors = "<d:twoCellAnchor><d:pic><d:nvPicPr/><d:blipFill/></d:pic></d:twoCellAnchor>" * count
    chart = "<d:twoCellAnchor><d:graphicFrame/></d:twoCellAnchor>"
    return {
        "xl/worksheets/_rels/sheet1.xml.rels": f'{XML}<Relationships xmlns="{PACKAGE}/relationships">'
        f'<Relationship Id="d" Type="{OFFICE}/drawing" Target="../drawings/drawing1.xml"/>'
        f'<Relationship Id="e" Type="{OFFICE}/drawing" Target="../drawings/gone.xml"/></Relationships>',
        "xl/drawings/drawing1.xml": f'{XML}<d:wsDr xmlns:d="{drawing}">{anchors}{chart}</d:wsDr>',
    }


def packed(files: Mapping[str, str | bytes]) -> bytes:
    """A ZIP file of these files."""
    out = io.BytesIO()
    with ZipFile(out, "w", ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


def workbook(rows: str, dimension: str = "", texts: tuple[str, ...] = ()) -> bytes:
    """A workbook with one sheet."""
    return packed(parts({"Лист1": sheet(rows, dimension)}, texts))
