"""Reads a table of texts from a CSV, XLSX, XLS or ODS file, XML Spreadsheet 2003, or a web page, row by row.

This is the program of a child process (reader_process.py): the file comes from outside, so its memory and its time are
limited here. It imports nothing of the app. The file is its standard input.

    reader.py inspect SECONDS                      writes a line for each sheet, as Contents; a CSV is one without name
    reader.py read SECONDS csv ENCODING DELIMITER  writes a line for each row that is not empty, as Row
    reader.py read SECONDS FORMAT SHEET…           the same of sheets, by their places from 0; without any, of the first

Everything is JSON. A refusal is the last line, {"refused": code, "params": {…}}, with exit status 3.

Lines are counted as a spreadsheet counts them: an empty row is one, and line breaks within a cell add none.

Which library reads what was decided by what a cell *shows*: 42 with the format 000042 is the ID 000042. openpyxl (XLSX)
and xlrd (XLS) give formats, hidden rows and merged cells; an ODS has the shown text beside the value, so its XML is
read here, as is that of 2003; a web page has nothing but what it shows. python-calamine reads XLSX, XLS and ODS faster,
but gives neither formats nor hidden rows, and a file that takes too much memory ends the process without a word:
tests/spreadsheets/README.md has the figures.
"""

import codecs
import csv
import datetime
import io
import json
import operator
import re
import resource
import signal
import struct
import sys
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import lru_cache
from html.parser import HTMLParser
from itertools import chain, islice
from math import log
from os import devnull
from typing import IO, Any, BinaryIO
from zipfile import BadZipFile, ZipFile

if __name__ == "__main__":
    # openpyxl would import it where it is installed, which takes time and memory, and is not needed.
    sys.modules["numpy"] = None  # type: ignore[assignment]

REFUSED = 3
# In bytes, without the libraries. The largest tables that are read take half of it.
MAX_MEMORY = 256 * 1024 * 1024
MAX_COLUMNS = 256
MAX_ROWS = 200_000
# Databases keep no higher number.
MAX_LINE = 2**31 - 1
# In characters. A longer cell is cut, and ends with the mark: no field of a person is as long. A file can point at one
# text from each of its cells, so what is said once in it would be stored many thousand times.
MAX_CELL, CUT_MARK = 256, "…"
# So much of a cell is looked through for spaces: a file can point at one long text from each of its cells.
MAX_RAW = 4 * MAX_CELL
# The same of the first rows, which are stored with the import: the names of its columns, and what they look like.
MAX_SHOWN = 64
# The header is looked for among so many rows; some rows below it are shown.
HEAD, SAMPLE = 20, 5
# So many rows of an XLSX are counted by reading them, all its sheets together.
COUNTED = 5_000
MAX_SHEETS = 100
# In bytes, of the first rows of all sheets together, as the serving process keeps them: a text and what is around it.
MAX_HEADS, AROUND_TEXT = 16 * 1024 * 1024, 64
# An ODS says once what stands in many cells, and has so many of them at most.
MAX_REPEATED = 1_000_000

# Cells that are merged with those below, beginning in a row: the index of each, and the last line.
Spans = Sequence[tuple[int, int]]
# The line, the cells, the indexes of cells with an error or a formula without a value, and what begins here.
Record = tuple[int, list[str], list[int], Spans]
# The line, the cells, those indexes, whether there were more cells, the index and value of cells that are merged with
# one above, and the place of the sheet.
Row = tuple[int, list[str], list[int], bool, list[tuple[int, str]], int]

ZIP = b"PK\x03\x04"
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
# An encrypted XLSX is an OLE file with a stream of this name (MS-OFFCRYPTO, 2.3.4.4).
ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
XLS_MACROS = "_VBA_PROJECT_CUR".encode("utf-16-le")
MACROS = "vbaProject.bin"
# What xlrd says of it.
XLS_ERRORS = {
    "Workbook is encrypted": "table_password",
    "Can't find workbook in OLE2 compound document": "table_unreadable",
}
ODS_TYPE = b"application/vnd.oasis.opendocument.spreadsheet"
ODS_MACROS = re.compile(r"Scripts/.|Basic/(?!.*script-l[bc]\.xml\Z).*\.xml\Z")
STRINGS, RELATIONSHIPS = "xl/sharedStrings.xml", "_rels/.rels"
# The names of Strict Open XML, which openpyxl does not know, and what the usual ones have in place of them.
STRICT = re.compile(rb"http://purl\.oclc\.org/ooxml/(\w+)/")
USUAL_NAMES = rb"http://schemas.openxmlformats.org/\1/2006/"
# A picture over cells is in the drawing of its sheet, one in a cell a value of another kind, in books that have these.
PICTURE, VALUE, PICTURES_IN_CELLS = re.compile(rb"<(?:\w+:)?pic[\s>]"), b' vm="', "xl/richData/richValueRel.xml"
# A picture among the objects of an XLS (MS-XLS, 2.5.143).
XLS_PICTURE = b"\x15\0\x12\0\x08\0"
# The XML of an ODS (OpenDocument 1.3, part 3, 9.1), and that of an XLSX as far as it is not read by openpyxl.
ODF = "{urn:oasis:names:tc:opendocument:xmlns:%s:1.0}"
OFFICE, STYLE, TABLE, TEXT = (ODF % name for name in ("office", "style", "table", "text"))
ODS_SHEET, ODS_CELLS = f"{TABLE}table", (f"{TABLE}table-cell", f"{TABLE}covered-table-cell")
ODS_SPACES = {f"{TEXT}{name}" for name in ("s", "tab", "line-break")}
ODS_ERROR = "{urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0}value-type"
ODS_FRAME, ODS_IMAGE, ODS_OBJECT = (f"{ODF % 'drawing'}{name}" for name in ("frame", "image", "object"))
SOURCE_CODE = "{http://openoffice.org/2004/office}source-code"
# XML Spreadsheet 2003.
SS, EXCEL = "{urn:schemas-microsoft-com:office:spreadsheet}", "{urn:schemas-microsoft-com:office:excel}"
CHUNK = 1024 * 1024
ROW_TAGS = (b"<row ", b":row ")
# A space that does not break may be meant, as in a name that was exported with it.
WHITE = re.compile(r"\s{2,}|[^\S \u00a0\u202f]")
HIDDEN_ROW = re.compile(rb"""<(?:\w+:)?row\s(?=[^>]*\bhidden=["'](?:1|true)["'])[^>]*[^/]>""")
MERGED = re.compile(rb"""<(?:\w+:)?mergeCell\s[^>]*\bref=["']([A-Z]{1,3})(\d{1,7}):[A-Z]{1,3}(\d{1,7})["']""")
FILTER = b"filterColumn"
MAX_UNPACKED_BYTES = 200 * 1024 * 1024
MAX_ENTRIES = 10_000
# Tables are packed to a tenth, those of many equal rows to a fiftieth; deflate can do a thousandth.
MAX_RATIO, SMALL_ENTRY = 200, 10 * 1024 * 1024
# What the libraries and what they are made of raise for files that are not as they should be.
BROKEN = (
    ArithmeticError, AssertionError, AttributeError, BadZipFile, EOFError, LookupError, OSError, RuntimeError,
    SyntaxError, TypeError, ValueError, struct.error, zlib.error,
)  # fmt: skip
# A colour or a locale in the format of a number, and the parts of a format that shows an integer with all its digits:
# places of digits, and texts around them. Any other one, such as 0.00 or # ##0, rounds or groups what is no ID.
COLOUR = re.compile(r"\[(?:\$-[0-9A-Fa-f,]+|[A-Za-z]+ ?\d*)\]")
FORMAT_PART = re.compile(r"""([0#?]|General)|"([^"]*)"|\\(.)|_.|\*.|([-/():+ ])""")
# What ends a section of a format, not within a text, and the condition that a section may begin with.
SECTION = re.compile(r"""((?:"[^"]*"|\\.|[^;])*)(?:;|\Z)""")
CONDITION = re.compile(r"\A\[(<=|>=|<>|<|>|=)(-?\d+(?:\.\d+)?)\]")
HOLDS = {
    "<=": operator.le, ">=": operator.ge, "<>": operator.ne, "<": operator.lt, ">": operator.gt, "=": operator.eq
}  # fmt: skip
# Zeros that a number of fewer digits is shown with, in a format that is not known otherwise.
PADDED = re.compile(r"0(?:[^.;\d]?0)+")
# A float is exact so far.
MAX_EXACT_INTEGER = 2**53

SEPARATORS = (";", "\t", ",", "|")
SEPARATOR_LINES = 100
# The first line that Excel understands; it is no row of the table.
SEPARATOR_LINE = re.compile(r'"?sep=([;,\t|])"?[\r\n]*\Z', re.IGNORECASE)
# What programs write so that Excel keeps leading zeros: ="007" and '007.
# An apostrophe before letters alone belongs to a name.
TEXT_AS_FORMULA = re.compile(r"""\A(?:="([^"]*)"|'([A-Za-z]*\d[0-9A-Za-z]*))\Z""")
# A text in quotation marks whose own ones are not doubled, as of “"Цех "Заря""”: the second one opens.
IN_BARE_QUOTES = re.compile(r'"([^"]*\s"\S.*)"\s*')
BACKSLASHED = re.compile(r'\\(["\\])')
# A line after the last one of the file. A reader that takes it for a part of a cell is inside of quotation marks.
END = "\0end"
# The same after a line that does not end: a program that is still writing, or was stopped, leaves such a one. Where it
# ends with a quotation mark, its last cell is whole.
BROKEN_OFF = f"\0broken off{END}"
QUOTE_CLOSED = f"\0closed{BROKEN_OFF}"
# From so many rows on a text that is shorter than all of them may be half of one; in a short table it is only short.
ENOUGH_TEXTS = 20
NOT_FOR_DATABASES = re.compile("[\0\ud800-\udfff]")
CONTROLS = bytes(set(range(32)) - set(b"\t\n\v\f\r\x1a"))
MARKUP = (b"<", b"\xef\xbb\xbf<")
# Programs save these under the name of a workbook, and Excel opens them: a page of the web, or an archive of one, is
# known by how it begins, and XML by the names in it.
WEB_PAGE = re.compile(
    r"\s*(?:<\?xml[^>]*>\s*)?(?:<!--(?:(?!-->).)*-->\s*)*<(?:!doctype\s+html|html|head|meta|body|style|table|div|h\d|p|br)\b",
    re.I | re.S,
)
WEB_ARCHIVE = re.compile(r"\s*MIME-Version:", re.I)
MARKED = {"xml": SS[1:-1], "fods": OFFICE[1:-1]}
CHARSET = re.compile(rb"""charset\s*=\s*["']?((?:windows-|cp|iso-8859-|koi8-)\w{1,4})""", re.I)
# What begins a line within a cell.
BREAKS = {"br", "div", "li", "p"}
# Other texts of people, by how they begin: entries of a directory after its comments, JSON, contacts.
OTHER_TEXTS = {
    "table_ldif": re.compile(r"(?:\s|#[^\n]*\n|version:[^\n]*\n)*dn::?[ \w]", re.I),
    "table_json": re.compile(r"\s*[\[{][\s\[{]*\"", re.I),
    "table_vcard": re.compile(r"\s*BEGIN:VCARD\b", re.I),
}
TEXT_START = 4096
DOCUMENTS, WORD, SLIDES = (b"%PDF-", b"{\\rtf"), "word/document.xml", "ppt/presentation.xml"
ARCHIVES = (b"Rar!\x1a\x07", b"7z\xbc\xaf'\x1c")
# How a table of dBase, FoxPro or Clipper begins; a day follows, and a line end after its fields, which are as long.
DBF, DBF_FIELD = b"\x02\x03\x04\x30\x31\x32\x43\x83\x8b\x8e\xf5", 32

BYTE_ORDER_MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
# The first one begins like that of UTF-16.
UTF_32_MARKS = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)
WINDOWS = "cp1251"
# The same with the letters of Kazakh, in places where Windows-1251 has those of Serbian, or of Ukrainian, in which they
# would stand otherwise: an ї after a consonant, a ґ between two.
KAZAKH = "kz1048"
IS_KAZAKH = re.compile("[ЌќЋћЈјЅѕ]|(?<=C)ї|(?<=C)ґ(?=C)".replace("C", "[бвгджзклмнпрстфхцчшщ]"), re.IGNORECASE)
# The first two are read where they are clearly the most likely, the others are not in use any more.
DOS, OLD_MAC = "cp866", "mac-cyrillic"
OLD_CYRILLIC = ("koi8-r", DOS)
OTHER_CYRILLIC = (*OLD_CYRILLIC, "iso8859-5", OLD_MAC)
# It begins nowhere within a word, or each letter of a long one would be looked at from all letters before it.
FOREIGN_WORD = re.compile(rb"(?<![A-Za-z])[A-Za-z]*[\x80-\xff][A-Za-z\x80-\xff]*")
MAX_WORDS = 20_000
# How often each letter is among ten thousand of Russian texts, and what is given for anything else.
LETTERS = (
    "о1098 е845 а801 и735 н670 т626 с547 р473 в454 л440 к349 м321 д298 п281 у262 я201 ы190 ь174 г170 з165 б159 ч144 "
    "й121 х97 ж94 ш73 ю64 ц48 щ36 э32 ф27 ъ4 ё20 і5 ї5 є5 ў5 ґ5 ә5 ғ5 қ5 ң5 ө5 ұ5 ү5 һ5"
)
WEIGHTS = {word[0]: log(float(word[1:]) / 10_000) for word in LETTERS.split()}
WEIGHTS |= dict.fromkeys("«»—–№“”„‘’…\xa0", log(0.001))
ANYTHING_ELSE = log(0.000_001)
# A small letter before a capital one: КОИ-8 has them the other way round.
CASES_SWAPPED = re.compile(r"[а-яё][А-ЯЁ]")
SWAP = log(0.05)
# Windows-1251 is the usual one: others must be clearly more likely.
USUAL = 3.0
MIXED = re.compile(r"[A-Za-z][А-яЁё]|[А-яЁё][A-Za-z]")
MAX_MIXED, MAX_STRANGE = 0.2, 0.1


class Refused(Exception):
    """The file is not read. `code` is that of an error in services/core/errors.py, `params` are its params."""

    def __init__(self, code: str, **params: Any) -> None:
        super().__init__(code)
        self.code, self.params = code, params


class Budget:
    """What may be spent on one file. The file is refused when it wants more."""

    def __init__(self, size: int) -> None:
        self._left = size

    def spend(self, size: int) -> None:
        self._left -= size
        if self._left < 0:
            raise Refused("table_unpacked")


@dataclass
class Contents:
    """What is in a sheet. `rows` counts those that are not empty, `head` are the first of them.

    `width`: the most cells of a row below these, of a sheet that is no CSV, among those that were counted by reading.
    """

    format: str
    encoding: str = ""
    delimiter: str = ""
    sheet: str = ""
    hidden: bool = False
    rows: int = 0
    head: list[Row] = field(default_factory=list)
    width: int = 0
    hidden_rows: int = 0
    filtered: bool = False
    pictures: int = 0
    since_1904: bool = False


@dataclass
class Sheet:
    """A sheet of a workbook, of which the rows are read once, before those of the next one.

    `tags` is how many rows its XML has, with empty ones, where that is known. `hidden_rows` are those that it has when
    its rows were read, and `filtered` says that a filter hides them; `pictures` are those in or over its cells. With
    `since_1904` its workbook counts days from 1904.
    """

    name: str
    hidden: bool
    records: Iterable[Record] = ()
    tags: int = 0
    hidden_rows: int = 0
    filtered: bool = False
    pictures: int = 0
    since_1904: bool = False


def inspect(file: BinaryIO) -> Iterator[Contents]:
    """Yield what is in each sheet of a file.

    :raises Refused: when it cannot be read as a table.
    """
    form = _format(file)
    if form == "csv":
        yield _inspect_csv(file)
        return
    budget, heads = COUNTED, Budget(MAX_HEADS)
    for sheet in SHEETS[form](file):
        rows = _limited(_rows(sheet.records))
        head = _head(rows)
        shown = (text for _, cells, _, _, merged, _ in head for text in (*cells, *(text for _, text in merged)))
        heads.spend(sum(sys.getsizeof(text) + AROUND_TEXT for text in shown))
        # Of XML in a ZIP only the first rows are read, since somebody waits.
        widths = [len(cells) for _, cells, *_ in (islice(rows, budget) if sheet.tags else rows)]
        budget -= len(widths) if sheet.tags else 0
        count = len(head) + len(widths)
        if next(iter(rows), None):
            count = max(count + 1, sheet.tags)
        name = _shortened(_cleaned(sheet.name), MAX_SHOWN)
        contents = Contents(form, sheet=name, hidden=sheet.hidden, rows=count, head=head, width=max(widths, default=0))
        contents.hidden_rows, contents.pictures = sheet.hidden_rows, sheet.pictures
        contents.filtered, contents.since_1904 = sheet.filtered and sheet.hidden_rows > 0, sheet.since_1904
        yield contents


def read(file: BinaryIO, form: str, *how: str) -> Iterator[Row]:
    """Yield the rows of a file that was inspected before.

    :param how: encoding and delimiter of a CSV; the places of the sheets of another one, from 0.
    :raises Refused: when it cannot be read to its end.
    """
    if form == "csv":
        encoding, delimiter = how
        return _limited(_rows(_csv_records(file, encoding, delimiter)))
    if form in {"xlsx", "ods"}:
        _refuse_bomb(file)
    places = {int(place) for place in how} or {_first_filled(SHEETS[form](file))}
    sheets = enumerate(SHEETS[form](file))
    return _limited(chain.from_iterable(_rows(sheet.records, at) for at, sheet in sheets if at in places))


def _first_filled(sheets: Iterable[Sheet]) -> int:
    """Return the place of the first sheet that has something; hidden ones come last."""
    filled = [(sheet.hidden, at) for at, sheet in enumerate(sheets) if next(_rows(sheet.records), None)]
    if not filled:
        raise Refused("table_empty")
    return min(filled)[1]


def _limited(rows: Iterable[Row]) -> Iterator[Row]:
    for count, row in enumerate(rows, 1):
        if count > MAX_ROWS:
            raise Refused("table_rows", n=MAX_ROWS)
        yield row


def _rows(records: Iterable[Record], sheet: int = 0) -> Iterator[Row]:
    """Yield the rows that are not empty, without empty cells at their ends."""
    # The value and the last line of each cell that is merged with those below it.
    above: dict[int, tuple[str, int]] = {}
    for line, cells, formulas, spans in records:
        while cells and not cells[-1].strip():
            cells.pop()
        if not cells:
            continue
        if line > MAX_LINE:
            raise Refused("table_damaged")
        texts = [_cleaned(cell) for cell in cells[:MAX_COLUMNS]]
        wrong = [index for index in formulas if index < MAX_COLUMNS]
        merged = []
        if above or spans:
            above = {index: cell for index, cell in above.items() if cell[1] >= line}
            merged = [(index, text) for index, (text, _) in above.items() if not "".join(texts[index : index + 1])]
            above |= {index: (texts[index], last) for index, last in spans if index < len(texts) and texts[index]}
        yield line, texts, wrong, len(cells) > MAX_COLUMNS, merged, sheet


def _cleaned(cell: str) -> str:
    """Return a text in one line, with single spaces, as a database can store it."""
    text = WHITE.sub(" ", cell.strip()[:MAX_RAW])
    if len(text) > MAX_CELL:
        text = _shortened(text, MAX_CELL)
    # Quickly said of nearly all texts.
    return text if text.isprintable() else NOT_FOR_DATABASES.sub("", text)


def _shortened(cell: str, length: int) -> str:
    return cell if len(cell) <= length else cell[: length - 1] + CUT_MARK


def _head(rows: Iterator[Row]) -> list[Row]:
    return [
        (line, [_shortened(cell, MAX_SHOWN) for cell in cells], formulas, too_long, _shown(merged), sheet)
        for line, cells, formulas, too_long, merged, sheet in islice(rows, HEAD + SAMPLE)
    ]


def _shown(merged: list[tuple[int, str]]) -> list[tuple[int, str]]:
    return [(index, _shortened(text, MAX_SHOWN)) for index, text in merged]


def _format(file: BinaryIO) -> str:
    """Return which format a file has.

    :raises Refused: for an empty file, for what is not to be unpacked, and for other files of office programs.
    """
    start = file.read(len(OLE))
    if not start:
        raise Refused("table_empty")
    if start == OLE:
        _refuse_ole(file.read())
        return "xls"
    if start.startswith(ZIP):
        return _refuse_bomb(file)
    if start.startswith(DOCUMENTS):
        raise Refused("table_document")
    if start.startswith(UTF_32_MARKS):
        raise Refused("table_encoding")
    text = _text_at_start(start + file.read(TEXT_START))
    if WEB_PAGE.match(text) or WEB_ARCHIVE.match(text):
        return "html"
    names = text if text.lstrip().startswith("<") else ""
    return next((form for form, name in MARKED.items() if name in names), "csv")


def _text_at_start(start: bytes) -> str:
    return start.decode("utf-16" if start[:2] in BYTE_ORDER_MARKS else "utf-8-sig", "ignore")


def _refuse_ole(data: bytes) -> None:
    if ENCRYPTED in data:
        raise Refused("table_password")
    if XLS_MACROS in data:
        raise Refused("table_macros")


def _refuse_bomb(file: BinaryIO) -> str:
    """Refuse what is not to be unpacked; return the format. No part has more bytes than the file says (zipfile)."""
    with _damage_refused():
        archive = ZipFile(file)
        parts = archive.infolist()
    names = {part.filename for part in parts}
    form = "xlsx" if "[Content_Types].xml" in names else "ods"
    stuffed = any(part.file_size > max(SMALL_ENTRY, MAX_RATIO * part.compress_size) for part in parts)
    if "xl/workbook.bin" in names:
        raise Refused("table_xlsb")
    if WORD in names:
        raise Refused("table_document")
    if SLIDES in names or (form == "ods" and not {"mimetype", "content.xml"} <= names):
        raise Refused("table_unreadable")
    if any(part.flag_bits & 1 for part in parts):
        raise Refused("table_password")
    if any(name.endswith(MACROS) or (form == "ods" and ODS_MACROS.match(name)) for name in names):
        raise Refused("table_macros")
    if stuffed or len(parts) > MAX_ENTRIES or sum(part.file_size for part in parts) > MAX_UNPACKED_BYTES:
        raise Refused("table_unpacked")
    if form == "ods":
        _refuse_other_document(archive, names)
    return form


def _refuse_other_document(archive: ZipFile, names: set[str]) -> None:
    with _damage_refused():
        if not archive.read("mimetype").startswith(ODS_TYPE):
            raise Refused("table_unreadable")
        if "META-INF/manifest.xml" in names and b"encryption-data" in archive.read("META-INF/manifest.xml"):
            raise Refused("table_password")


@contextmanager
def _damage_refused() -> Iterator[None]:
    try:
        yield
    except BROKEN as error:
        raise Refused("table_damaged") from error


def _few(number: int) -> None:
    if number > MAX_SHEETS:
        raise Refused("table_sheets", n=MAX_SHEETS)


# --- what a cell shows ---


def _text_of(value: Any, shown_as: str) -> str:
    """Return a cell as a text: a number without “.0”, a date as YYYY-MM-DD, a boolean as yes or no.

    :param shown_as: its format.
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return _number(value, shown_as)
    if isinstance(value, datetime.datetime):
        value = value.date()
    return str(value)


def _number(value: float, shown_as: str) -> str:
    value = _exact(value)
    if not isinstance(value, int) or value < 0:
        return str(value)
    section = _section(shown_as, value)
    pattern = _pattern(section)
    if pattern is None:
        padded = PADDED.match(section)
        # No ID, so whoever has it is asked about.
        return f"{value} [{section}]" if padded and padded[0].count("0") > len(str(value)) else str(value)
    zeros, parts = pattern
    digits = list(f"{value:0{zeros}d}")
    places, texts = parts.count(None), []
    for part in reversed(parts):
        if part is not None:
            texts.append(part)
            continue
        places -= 1
        # The first place takes all digits that are left.
        taken = digits[-1:] if places else digits
        texts.append("".join(taken))
        del digits[len(digits) - len(taken) :]
    return "".join(reversed(texts))


def _exact(value: float) -> float:
    is_integer = isinstance(value, float) and value.is_integer() and abs(value) <= MAX_EXACT_INTEGER
    return int(value) if is_integer else value


def _section(shown_as: str, value: int) -> str:
    """Return the section of a format by which a number that is not negative is shown, without colour and condition."""
    for condition, limit, section in _sections(shown_as):
        if condition is None or condition(value, limit):
            return section
    return ""


@lru_cache
def _sections(shown_as: str) -> list[tuple[Callable[[Any, Any], Any] | None, float, str]]:
    """Return the sections of a format with their conditions. Without any, the first one is for all but negatives."""
    sections = [COLOUR.sub("", section) for section in SECTION.findall(shown_as[: 4 * MAX_SHOWN])]
    found = [(CONDITION.match(section), section) for section in sections]
    return [
        (HOLDS[match[1]], float(match[2]), section[match.end() :]) if match else (None, 0.0, section)
        for match, section in found
    ]


@lru_cache
def _pattern(shown_as: str) -> tuple[int, list[str | None]] | None:
    """Return how many zeros a section of a format has, and its texts with None for each digit; None for other ones."""
    found = list(FORMAT_PART.finditer(shown_as))
    zeros = sum(part[1] == "0" for part in found)
    has_places = any(part[1] for part in found)
    if len(shown_as) > MAX_SHOWN or "".join(part[0] for part in found) != shown_as or not has_places:
        return None
    texts = [None if part[1] else (part[2] or part[3] or part[4] or "").replace(" ", "") for part in found]
    return zeros, texts


# --- XLSX ---


def _xlsx_sheets(file: BinaryIO) -> Iterator[Sheet]:
    # A CSV needs no openpyxl, which takes longer to load than most tables to read.
    from openpyxl.reader.excel import ExcelReader
    from openpyxl.styles.stylesheet import apply_stylesheet

    with _damage_refused():
        reader = ExcelReader(file, read_only=True, keep_links=False)
        if RELATIONSHIPS in reader.valid_files and STRICT.search(reader.archive.read(RELATIONSHIPS)):
            reader.archive = _Strict(file)
        # 1C calls the part SharedStrings.xml, and in the list of parts sharedStrings.xml.
        named = {part.filename.lower(): part for part in reader.archive.infolist()}
        if STRINGS.lower() in named:
            reader.archive.NameToInfo.setdefault(STRINGS, named[STRINGS.lower()])
        reader.read_manifest()
        reader.read_strings()
        reader.read_workbook()
        apply_stylesheet(reader.archive, reader.wb)
        parts = [(sheet, part) for sheet, part in reader.parser.find_sheets() if part.target in reader.valid_files]
        _few(len(parts))
        for sheet, part in parts:
            if "chartsheet" not in part.Type:
                since_1904 = reader.wb.epoch.year == 1904
                named_sheet = Sheet(sheet.name, sheet.state != "visible", since_1904=since_1904)
                yield _xlsx_sheet(reader, named_sheet, part.target)


class _Strict(ZipFile):
    """The parts of a Strict Open XML workbook, with the usual names."""

    def open(self, *args: Any, **kwargs: Any) -> Any:
        with super().open(*args, **kwargs) as part:
            return io.BytesIO(STRICT.sub(USUAL_NAMES, part.read()))


def _xlsx_sheet(reader: Any, sheet: Sheet, path: str) -> Sheet:
    """Fill a sheet with what is told by its tags, which takes a tenth of the time of reading its rows."""
    spans: dict[int, list[tuple[int, int]]] = defaultdict(list)
    has_tables = False
    with reader.archive.open(path) as part:
        for xml in _tags(part):
            sheet.tags += max(map(xml.count, ROW_TAGS))
            sheet.hidden_rows += len(HIDDEN_ROW.findall(xml)) if b"hidden=" in xml else 0
            sheet.filtered |= FILTER in xml
            has_tables |= b"tablePart" in xml
            sheet.pictures += xml.count(VALUE) if PICTURES_IN_CELLS in reader.valid_files else 0
            for merged in MERGED.finditer(xml) if b"mergeCell" in xml else ():
                _add_span(spans, _index(merged[1]), int(merged[2]), int(merged[3]))
    if has_tables and not sheet.filtered:
        tables = [name for name in reader.valid_files if name.startswith("xl/tables/")]
        sheet.filtered = any(FILTER in reader.archive.read(name) for name in tables)
    sheet.pictures += _pictures_over_cells(reader, path)
    sheet.records = _xlsx_records(reader, path, spans)
    return sheet


def _pictures_over_cells(reader: Any, path: str) -> int:
    from openpyxl.packaging.relationship import get_dependents

    folder, _, name = path.rpartition("/")
    about = f"{folder}/_rels/{name}.rels"
    related = get_dependents(reader.archive, about) if about in reader.valid_files else ()
    drawings = {one.target for one in related if one.Type.endswith("/drawing") and one.target in reader.valid_files}
    return sum(len(PICTURE.findall(xml)) for name in drawings for xml in _tags(reader.archive.open(name)))


def _tags(part: Any) -> Iterator[bytes]:
    """Yield the XML in pieces that end before a tag."""
    rest = b""
    while chunk := part.read(CHUNK):
        xml = rest + chunk
        end = xml.rfind(b"<")
        # A tag that is longer is none of those that are looked for.
        rest = xml[end:] if 0 <= len(xml) - end < CHUNK else b""
        yield xml[:end] if rest else xml
    yield rest


def _index(letters: bytes) -> int:
    """Return the index of a column by its letters: 0 for A, 26 for AA."""
    number = 0
    for letter in letters:
        number = 26 * number + letter - 64
    return number - 1


def _add_span(spans: dict[int, list[tuple[int, int]]], index: int, first: int, last: int) -> None:
    if last > first and index < MAX_COLUMNS:
        spans[first].append((index, last))


def _xlsx_records(reader: Any, path: str, spans: Mapping[int, Spans]) -> Iterator[Record]:
    from openpyxl.styles.numbers import BUILTIN_FORMATS, BUILTIN_FORMATS_MAX_SIZE
    from openpyxl.worksheet._reader import DATA_TAG, FORMULA_TAG, ROW_TAG, VALUE_TAG, WorkSheetParser
    from openpyxl.xml.functions import iterparse

    class Parser(WorkSheetParser):
        """Gives the stored value of a formula, and a formula without one as it is."""

        def parse_cell(self, element: Any) -> dict[str, Any]:
            cell: dict[str, Any] = super().parse_cell(element)
            formula = element.find(FORMULA_TAG) if cell["value"] is None else None
            # An empty value is one of a text; of a number, programs write it that do not compute.
            has_value = element.get("t") == "str" and element.find(VALUE_TAG) is not None
            if formula is not None and not has_value:
                cell |= {"value": f"={formula.text or ''}", "data_type": "f"}
            return cell

    book = reader.wb
    formats = BUILTIN_FORMATS | dict(enumerate(book._number_formats, BUILTIN_FORMATS_MAX_SIZE))
    shown_as = [formats.get(style.numFmtId, "General") for style in book._cell_styles]
    dates = {"epoch": book.epoch, "date_formats": book._date_formats, "timedelta_formats": book._timedelta_formats}
    with _damage_refused(), reader.archive.open(path) as part:
        parser = Parser(part, reader.shared_strings, data_only=True, **dates)
        for _, element in iterparse(part):
            if element.tag == DATA_TAG:
                return
            if element.tag == ROW_TAG:
                line, row = parser.parse_row(element)
                element.clear()
                parser.row_dimensions.clear()
                wrong = [cell["column"] - 1 for cell in row if cell["data_type"] in {"f", "e"}]
                yield line, _xlsx_texts(row, shown_as), wrong, spans.get(line, ())


def _xlsx_texts(row: list[dict[str, Any]], shown_as: list[str]) -> list[str]:
    texts: list[str] = []
    for cell in row:
        column, value = cell["column"], cell["value"]
        texts += [""] * (column - len(texts))
        if isinstance(value, str):
            # How Excel for Windows may write a line break.
            texts[column - 1] = value.replace("_x000D_", " ")
        elif value is not None:
            texts[column - 1] = _text_of(value, shown_as[cell["style_id"]])
    return texts


# --- XLS ---


def _xls_sheets(file: BinaryIO) -> Iterator[Sheet]:
    import xlrd

    file.seek(0)
    try:
        with _damage_refused(), open(devnull, "w") as log:
            book = xlrd.open_workbook(
                file_contents=file.read(),
                logfile=log,
                formatting_info=True,
                on_demand=True,
                ragged_rows=True,
                # Several programs write a table of sectors that Excel does not mind.
                ignore_workbook_corruption=True,
            )
            _few(book.nsheets)
            filters = {name.scope for name in book.name_obj_list if name.name == "_FilterDatabase"}
            for at in range(book.nsheets):
                sheet = book.sheet_by_index(at)
                hidden_rows = sum(
                    bool(row.hidden) and line < sheet.nrows and any(sheet.row_types(line))
                    for line, row in sheet.rowinfo_map.items()
                )
                records = _xls_records(book, sheet)
                starts = sorted({*book._sh_abs_posn, len(book.mem)})
                start = book._sh_abs_posn[at]
                pictures = bytes(book.mem[start : starts[starts.index(start) + 1]]).count(XLS_PICTURE)
                shown = (hidden_rows, at in filters, pictures, book.datemode == 1)
                yield Sheet(sheet.name, sheet.visibility != 0, records, 0, *shown)
                book.unload_sheet(at)
    except (xlrd.XLRDError, xlrd.compdoc.CompDocError, xlrd.formula.FormulaError) as error:
        raise Refused(XLS_ERRORS.get(str(error), "table_damaged")) from error


def _xls_records(book: Any, sheet: Any) -> Iterator[Record]:
    spans: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for first, end, index, _ in sheet.merged_cells:
        _add_span(spans, index, first + 1, end)
    with _damage_refused():
        for at in range(sheet.nrows):
            cells = [_xls_value(book, cell) for cell in sheet.row(at)]
            texts = [shown_as if value is None else _text_of(value, shown_as) for value, shown_as in cells]
            yield (
                at + 1,
                texts,
                [index for index, (value, _) in enumerate(cells) if value is None],
                spans.get(at + 1, ()),
            )


def _xls_value(book: Any, cell: Any) -> tuple[Any, str]:
    """Return what is in a cell, and its format; of an error None, and its text."""
    import xlrd

    if cell.ctype == xlrd.XL_CELL_NUMBER:
        return cell.value, book.format_map[book.xf_list[cell.xf_index].format_key].format_str
    if cell.ctype == xlrd.XL_CELL_DATE:
        with suppress(OverflowError, ValueError):
            return xlrd.xldate.xldate_as_datetime(cell.value, book.datemode), ""
        return None, "#VALUE!"
    if cell.ctype == xlrd.XL_CELL_ERROR:
        return None, xlrd.error_text_from_code.get(cell.value, "#N/A")
    return bool(cell.value) if cell.ctype == xlrd.XL_CELL_BOOLEAN else cell.value, ""


# --- ODS ---


def _ods_sheets(file: BinaryIO) -> Iterator[Sheet]:
    with _damage_refused(), ZipFile(file).open("content.xml") as part:
        yield from _flat_ods_sheets(part)


def _flat_ods_sheets(file: IO[bytes]) -> Iterator[Sheet]:
    from defusedxml.ElementTree import iterparse

    with _damage_refused():
        file.seek(0)
        events = iterparse(file, ["start", "end"])
        hidden_styles: set[str] = set()
        count, style, repeated, since_1904 = 0, "", Budget(MAX_REPEATED), False
        for event, element in events:
            if event == "start" and element.tag == ODS_SHEET:
                _few(count := count + 1)
                sheet = Sheet(element.get(f"{TABLE}name", ""), element.get(f"{TABLE}style-name") in hidden_styles)
                sheet.since_1904 = since_1904
                sheet.records = _ods_records(events, sheet, repeated)
                yield sheet
                # What was not read of it.
                for _ in sheet.records:
                    pass
            elif element.tag == f"{TABLE}null-date":
                since_1904 = element.get(f"{TABLE}date-value", "").startswith("1904")
            elif event == "start" and element.tag == f"{STYLE}style":
                style = element.get(f"{STYLE}name", "")
            elif element.tag == f"{STYLE}table-properties" and element.get(f"{TABLE}display") == "false":
                hidden_styles.add(style)
            else:
                _refuse_element(element)


def _refuse_element(element: Any) -> None:
    if element.get(f"{OFFICE}mimetype", ODS_TYPE.decode()) != ODS_TYPE.decode():
        raise Refused("table_unreadable")
    if element.tag == SOURCE_CODE:
        raise Refused("table_macros")


def _ods_records(events: Iterator[tuple[str, Any]], sheet: Sheet, budget: Budget) -> Iterator[Record]:
    with _damage_refused():
        line = 1
        for event, element in events:
            if event == "start":
                continue
            if element.tag == ODS_SHEET:
                return
            sheet.pictures += (
                # A chart has a picture of itself, beside the object.
                element.tag == ODS_FRAME and element.find(ODS_IMAGE) is not None and element.find(ODS_OBJECT) is None
            )
            if element.tag in ODS_SPACES:
                element.text = " "
            if element.tag != f"{TABLE}table-row":
                continue
            texts, formulas, spans = _ods_row(element, line)
            repeated = int(element.get(f"{TABLE}number-rows-repeated", "1"))
            visibility = element.get(f"{TABLE}visibility")
            written = len(element)
            element.clear()
            if any(texts):
                budget.spend(max(len(texts) * repeated - written, 0))
                sheet.hidden_rows += repeated if visibility in {"collapse", "filter"} else 0
                sheet.filtered |= visibility == "filter"
                for more in range(repeated):
                    yield line + more, list(texts), formulas, spans
            line += repeated


def _ods_row(row: Any, line: int) -> tuple[list[str], list[int], list[tuple[int, int]]]:
    texts: list[str] = []
    formulas, spans = [], []
    for cell in row:
        if cell.tag not in ODS_CELLS:
            continue
        text = _ods_text(cell) if cell.tag == ODS_CELLS[0] else ""
        index = len(texts)
        if text:
            if cell.get(ODS_ERROR) == "error" or (text == "=" and cell.get(f"{TABLE}formula")):
                formulas.append(index)
            rows = int(cell.get(f"{TABLE}number-rows-spanned", "1"))
            spans += [(index, line + rows - 1)] if rows > 1 else []
        # Empty cells fill the sheet to its end.
        texts += [text] * min(int(cell.get(f"{TABLE}number-columns-repeated", "1")), MAX_COLUMNS + 1 - index)
    return texts, formulas, spans


def _ods_text(cell: Any) -> str:
    kind = cell.get(f"{OFFICE}value-type", "")
    shown = "\n".join("".join(paragraph.itertext()) for paragraph in cell.findall(f"{TEXT}p"))
    if kind in {"float", "percentage", "currency"}:
        return _ods_number(float(cell.get(f"{OFFICE}value", "")), shown if kind == "float" else "")
    if kind == "date":
        return str(cell.get(f"{OFFICE}date-value", ""))[:10]
    if kind == "boolean":
        return "yes" if cell.get(f"{OFFICE}boolean-value") == "true" else "no"
    has_no_value = not kind and cell.get(f"{TABLE}formula")
    return shown or str(cell.get(f"{OFFICE}string-value", "=" if has_no_value else ""))


def _ods_number(value: float, shown: str) -> str:
    """Return what a cell shows, where all digits of an integer are in it, with zeros or a text around them."""
    value = _exact(value)
    is_shown = isinstance(value, int) and value >= 0 and re.sub(r"\D", "", shown).lstrip("0") == str(value).lstrip("0")
    return "".join(shown.split()) if is_shown and shown else str(value)


# --- XML Spreadsheet 2003 ---


def _xml_sheets(file: BinaryIO) -> Iterator[Sheet]:
    from defusedxml.ElementTree import iterparse

    with _damage_refused():
        file.seek(0)
        events = iterparse(file, ["start", "end"])
        formats: dict[str, str] = {}
        count, since_1904 = 0, False
        for event, element in events:
            if event == "start" and element.tag == f"{SS}Worksheet":
                _few(count := count + 1)
                sheet = Sheet(element.get(f"{SS}Name", ""), hidden=False, since_1904=since_1904)
                sheet.records = _xml_records(events, sheet, formats)
                yield sheet
                # What was not read of it.
                for _ in sheet.records:
                    pass
            elif element.tag == f"{EXCEL}Date1904":
                since_1904 = True
            elif event == "end" and element.tag == f"{SS}Style":
                shown_as = element.find(f"{SS}NumberFormat")
                inherited = formats.get(element.get(f"{SS}Parent", ""), "")
                own = inherited if shown_as is None else shown_as.get(f"{SS}Format", "")
                formats[element.get(f"{SS}ID", "")] = own


def _xml_records(events: Iterator[tuple[str, Any]], sheet: Sheet, formats: Mapping[str, str]) -> Iterator[Record]:
    """Yield the rows of a sheet, and read what comes behind them: whether it is hidden, and its filter."""
    with _damage_refused():
        line, styles = 1, list[str]()
        for event, element in events:
            if event == "start":
                continue
            if element.tag == f"{SS}Worksheet":
                return
            if element.tag == f"{EXCEL}Visible":
                sheet.hidden = element.text != "SheetVisible"
            sheet.filtered |= element.tag == f"{EXCEL}AutoFilterColumn"
            if element.tag == f"{SS}Column":
                _pad(styles, element)
                styles += [element.get(f"{SS}StyleID", "")] * (_more(element, "Span", styles) + 1)
            if element.tag != f"{SS}Row":
                continue
            line = _index_of(element, line)
            texts, formulas, spans = _xml_row(element, line, styles, formats)
            sheet.hidden_rows += element.get(f"{SS}Hidden") == "1" and any(texts)
            after = line + 1 + int(element.get(f"{SS}Span", "0"))
            element.clear()
            yield line, texts, formulas, spans
            line = after


def _xml_row(
    row: Any, line: int, styles: list[str], formats: Mapping[str, str]
) -> tuple[list[str], list[int], list[tuple[int, int]]]:
    texts: list[str] = []
    formulas, spans = [], []
    for cell in row.iterfind(f"{SS}Cell"):
        _pad(texts, cell)
        index = len(texts)
        style = cell.get(f"{SS}StyleID") or row.get(f"{SS}StyleID") or "".join(styles[index : index + 1]) or "Default"
        data = cell.find(f"{SS}Data")
        kind, text = ("", "") if data is None else (data.get(f"{SS}Type"), "".join(data.itertext()))
        if data is None and cell.get(f"{SS}Formula"):
            kind, text = "Error", "="
        formulas += [index] if kind == "Error" else []
        last = line + int(cell.get(f"{SS}MergeDown", "0"))
        spans += [(index, last)] if last > line else []
        texts += [_xml_text(kind, text, formats.get(style, "")), *[""] * _more(cell, "MergeAcross", texts)]
    return texts, formulas, spans


def _xml_text(kind: str, text: str, shown_as: str) -> str:
    if kind == "Number" and text:
        return _number(float(text), shown_as)
    if kind == "DateTime":
        return text[:10]
    return ("yes" if text == "1" else "no") if kind == "Boolean" else text


def _index_of(element: Any, following: int) -> int:
    """Return the place of a row or cell, from 1; none is before the one that it follows."""
    place = int(element.get(f"{SS}Index", following))
    if place < following:
        raise Refused("table_damaged")
    return place


def _pad(cells: list[str], element: Any) -> None:
    """Add the cells that are left out before another one, as far as columns are read."""
    cells += [""] * (min(_index_of(element, len(cells) + 1) - 1, MAX_COLUMNS) - len(cells))


def _more(element: Any, name: str, before: list[str]) -> int:
    """Return how many more columns an element is for, of those that are read."""
    return max(min(int(element.get(f"{SS}{name}", "0")), MAX_COLUMNS - 1 - len(before)), 0)


# --- a web page under the name of a workbook ---


class _Table:
    """The rows of a table of a web page, of which one is read after another."""

    def __init__(self) -> None:
        self.rows: list[tuple[list[str], list[tuple[int, int]]]] = []
        self.hidden_rows = 0
        self.pictures = 0
        # Column → the last line of a cell further up that reaches into it.
        self._taken: dict[int, int] = {}
        self._index: int | None = None

    def begin_row(self, attributes: Mapping[str, str | None]) -> None:
        self.rows.append(([], []))
        self.hidden_rows += "display:none" in (attributes.get("style") or "").replace(" ", "").lower()
        self._index = None

    def begin_cell(self, attributes: Mapping[str, str | None]) -> None:
        if not self.rows:
            self.begin_row({})
        line, (texts, spans) = len(self.rows), self.rows[-1]
        while len(texts) < MAX_COLUMNS and self._taken.get(len(texts), 0) >= line:
            texts.append("")
        self._index = len(texts)
        last = line + _span(attributes, "rowspan") - 1
        texts += [""] * max(min(_span(attributes, "colspan"), MAX_COLUMNS + 1 - self._index), 1)
        if last > line:
            spans.append((self._index, last))
            self._taken |= dict.fromkeys(range(self._index, len(texts)), last)

    def end_cell(self) -> None:
        self._index = None

    def say(self, text: str) -> None:
        """Add a text to the cell that is open."""
        if self._index is not None and len(self.rows[-1][0][self._index]) < MAX_RAW:
            self.rows[-1][0][self._index] += WHITE.sub(" ", text)


def _span(attributes: Mapping[str, str | None], name: str) -> int:
    number = attributes.get(name) or ""
    return max(int(number), 1) if number.isdecimal() and len(number) <= len(str(MAX_LINE)) else 1


class _Page(HTMLParser):
    """The tables of a web page. One within a cell of another is a table of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.tables: list[_Table] = []
        self.open: list[_Table] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "table":
            self.open.append(_Table())
            self.tables.append(self.open[-1])
        elif not self.open:
            return
        elif tag == "tr":
            self.open[-1].begin_row(dict(attrs))
        elif tag in {"td", "th"}:
            self.open[-1].begin_cell(dict(attrs))
        elif tag == "img":
            self.open[-1].pictures += 1
        elif tag in BREAKS:
            self.open[-1].say("\n")

    def handle_endtag(self, tag: str) -> None:
        if not self.open:
            return
        if tag == "table":
            self.open.pop()
        elif tag in {"body", "html"}:
            self.open.clear()
        elif tag in {"td", "th"}:
            self.open[-1].end_cell()

    def handle_data(self, data: str) -> None:
        # Not what is in a style or a script.
        if self.open and self.cdata_elem is None:
            self.open[-1].say(data)


def _html_sheets(file: BinaryIO) -> Iterator[Sheet]:
    file.seek(0)
    page = _Page()
    for data in _pages(file.read()):
        text = _html_text(data)
        with _damage_refused():
            # Not closed: the parser would try a tag that does not end again and again.
            page.feed(text)
    if page.open:
        raise Refused("table_cut", line=len(page.open[0].rows))
    tables = [table for table in page.tables if any(any(map(str.strip, texts)) for texts, _ in table.rows)]
    if not tables:
        raise Refused("table_html")
    _few(len(tables))
    for at, table in enumerate(tables, 1):
        name = str(at) if len(tables) > 1 else ""
        records = (_as_typed(line, *row) for line, row in enumerate(table.rows, 1))
        yield Sheet(name, hidden=False, records=records, hidden_rows=table.hidden_rows, pictures=table.pictures)


def _pages(data: bytes) -> list[bytes]:
    """Return the page that a file is, or those in an archive: one for each sheet, as SAP and Excel write it (MHTML)."""
    from email import message_from_bytes

    if not WEB_ARCHIVE.match(_text_at_start(data[:TEXT_START])):
        return [data]
    with _damage_refused():
        parts = message_from_bytes(data).walk()
        pages = (part.get_payload(decode=True) for part in parts if part.get_content_type() == "text/html")
        return [page for page in pages if isinstance(page, bytes)]


def _html_text(data: bytes) -> str:
    _refuse_half_a_letter(data)
    mark = next((encoding for mark, encoding in BYTE_ORDER_MARKS.items() if data.startswith(mark)), "utf-8")
    with suppress(UnicodeError):
        return data.decode(mark)
    named = CHARSET.search(data[:TEXT_START])
    try:
        return data.decode(named[1].decode() if named else _cyrillic_encoding(data) or "ascii")
    except (LookupError, UnicodeError) as error:
        raise Refused("table_encoding") from error


SHEETS = {
    "xlsx": _xlsx_sheets,
    "xls": _xls_sheets,
    "ods": _ods_sheets,
    "fods": _flat_ods_sheets,
    "xml": _xml_sheets,
    "html": _html_sheets,
}


# --- CSV ---


def _inspect_csv(file: BinaryIO) -> Contents:
    encoding = _encoding(file)
    delimiter = _delimiter(file, encoding)
    rows = _limited(_rows(_csv_records(file, encoding, delimiter)))
    head = _head(rows)
    return Contents("csv", encoding, delimiter, rows=len(head) + sum(1 for _ in rows), head=head)


def _encoding(file: BinaryIO) -> str:
    """Return UTF-8, UTF-16 with a byte order mark or without, Windows-1251, KOI8-R or CP866.

    :raises Refused: when the file is in none of them, or is no text.
    """
    file.seek(0)
    data = file.read()
    _refuse_other_file(data[:TEXT_START])
    start = data[:TEXT_START]
    # No other text has a zero beside the end of its first line.
    end = start.find(b"\n")
    if (
        end > 0
        and b"\0" in (start[end - 1 : end] if end % 2 else start[end + 1 : end + 2])
        and data[:2] not in BYTE_ORDER_MARKS
    ):
        return "utf-16-be" if end % 2 else "utf-16-le"
    _refuse_half_a_letter(data)
    for mark, encoding in BYTE_ORDER_MARKS.items():
        if data.startswith(mark) and encoding == "utf-16":
            return encoding
    controls = 1 - len(data.translate(None, CONTROLS)) / len(data)
    if data.lstrip().startswith(MARKUP) or b"\0" in data or controls > 0.001:
        raise Refused("table_unreadable")
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        if cyrillic := _cyrillic_encoding(data):
            return cyrillic
        raise Refused("table_encoding") from error
    return "utf-8-sig"


def _refuse_other_file(start: bytes) -> None:
    """Refuse what is no table, but known."""
    if start.startswith(ARCHIVES):
        raise Refused("table_archive")
    if start[:1] in DBF and start[2:3] <= b"\x0c" and start[3:4] <= b"\x1f" and 13 in start[DBF_FIELD::DBF_FIELD]:
        raise Refused("table_dbf")
    text = _text_at_start(start)
    for code, beginning in OTHER_TEXTS.items():
        if beginning.match(text):
            raise Refused(code)


def _refuse_half_a_letter(data: bytes) -> None:
    encoding = "utf-16" if data[:2] in BYTE_ORDER_MARKS else "utf-8"
    try:
        data.decode(encoding)
    except UnicodeDecodeError as error:
        if error.reason in {"unexpected end of data", "truncated data"}:
            raise Refused("table_cut", line=len(data.decode(encoding, "ignore").splitlines())) from error


def _cyrillic_encoding(data: bytes) -> str | None:
    """Return the encoding in which a text is Russian: no other encoding of Cyrillic makes more sense of it."""
    words = b" ".join(word[0] for word in islice(FOREIGN_WORD.finditer(data), MAX_WORDS))
    utf_8 = words.decode("utf-8", "replace")
    if utf_8.count("\ufffd") * 2 < sum(byte > 0x7F for byte in words):  # a broken text in UTF-8
        return None
    # Capital letters are the same in CP866, which comes last, and in that of old Macs but for Ё.
    # Where CP866 has Ё and № among capitals, the Mac has small letters, which no list all in capitals has.
    dos = words.decode(DOS, "replace")
    encodings = OTHER_CYRILLIC[:-1] if dos.isupper() and not _strange(dos) else OTHER_CYRILLIC
    texts = {words.decode(encoding, "replace"): encoding for encoding in reversed(encodings)}
    likelihoods = {text: _likelihood(text) for text in texts}
    if b"\x98" not in data:
        own = KAZAKH if IS_KAZAKH.search(data.decode(WINDOWS)) else WINDOWS
        windows = words.decode(own, "replace")
        texts[windows], likelihoods[windows] = own, _likelihood(windows)
        # People and columns have capital letters; a text without any may be one in KOI8-R that has no others.
        likelihoods[windows] += USUAL if windows != windows.lower() else 0
    best = max(texts, key=lambda text: likelihoods[text])
    encoding = texts[best]
    others = [likelihoods[text] for text, other in texts.items() if other not in {encoding, OLD_MAC}]
    is_sure = encoding in {WINDOWS, KAZAKH} or (encoding in OLD_CYRILLIC and likelihoods[best] > max(others) + USUAL)
    return encoding if is_sure and _is_russian(best) else None


def _is_russian(text: str) -> bool:
    """Return whether words have hardly a sign that Russian has not, and Latin letters in words of their own."""
    mixed = sum(1 for word in text.split(" ") if MIXED.search(word))
    return _strange(text) <= MAX_STRANGE * len(text) and mixed <= MAX_MIXED * (text.count(" ") + 1)


def _strange(text: str) -> int:
    return sum(letter > "\x7f" and letter.lower() not in WEIGHTS for letter in text)


def _likelihood(text: str) -> float:
    """Return how Russian a text is, as a logarithm."""
    letters = sum(WEIGHTS.get(letter, ANYTHING_ELSE) for letter in text.lower() if letter > "\x7f")
    return letters + SWAP * len(CASES_SWAPPED.findall(text))


def _delimiter(file: BinaryIO, encoding: str) -> str:
    """Return the separator that cuts most of the first lines into the same number of cells."""
    lines = list(islice(_lines(file, encoding), SEPARATOR_LINES))
    named = SEPARATOR_LINE.match(lines[0]) if lines else None
    return named[1] if named else max(SEPARATORS, key=lambda separator: _regularity(lines, separator))


def _regularity(lines: list[str], separator: str) -> tuple[float, int]:
    widths = [len(record) for record in csv.reader(lines, delimiter=separator) if any(record)]
    cut = [width for width in widths if width > 1]
    if not cut:
        return 0.0, 0
    usual = max(set(cut), key=lambda width: (cut.count(width), width))
    return cut.count(usual) / len(widths), usual


def _lines(file: BinaryIO, encoding: str) -> Iterator[str]:
    file.seek(0)
    text = io.TextIOWrapper(file, encoding, newline="")
    try:
        # "yield from" would close the file together with the generator.
        for line in text:  # noqa: UP028
            yield line
    except UnicodeError as error:
        raise Refused("table_encoding") from error
    finally:
        if not text.closed:
            text.detach()


def _csv_records(file: BinaryIO, encoding: str, delimiter: str) -> Iterator[Record]:
    lines = _lines(file, encoding)
    first = next(lines, "")
    before = [] if SEPARATOR_LINE.match(first) else [first]
    line, width, cells, last_column = 0, 0, list[str](), _LastColumn()
    quoted = _requoted(chain(before, lines), delimiter)
    for read_so_far, following in enumerate(csv.reader(_with_end(quoted), delimiter=delimiter)):
        broken_off = bool(following) and following[-1].endswith(BROKEN_OFF)
        if following in ([END], [BROKEN_OFF], [QUOTE_CLOSED]):
            if broken_off and len(cells) < width:
                raise Refused("table_cut", line=line)
            if following == [BROKEN_OFF] and 0 < width == len(cells) and last_column.is_longer_than(cells[-1]):
                raise Refused("table_perhaps_cut", line=line)
        elif following and following[-1].endswith(END):
            is_last_line = broken_off and "\n" not in following[-1] and "\r" not in following[-1]
            raise Refused("table_cut" if is_last_line else "table_quote", line=line + 1)
        if any("\n" in cell and _has_rows(cell, delimiter, width) for cell in following):
            raise Refused("table_quote", line=line + 1)
        if read_so_far:
            yield _as_typed(line, cells, ())
        if 0 < width == len(cells):
            last_column.add(cells[-1])
        # The names of the columns are among the first rows.
        width = max(width, len(following)) if read_so_far < HEAD and any(following) else width
        line, cells = line + 1, following


def _has_rows(cell: str, delimiter: str, width: int) -> bool:
    """Return whether a cell has other rows in it: a quotation mark within one was closed by a mark in another."""
    return any(line.count(delimiter) >= max(width - 1, 2) for line in cell.splitlines()[1:])


class _LastColumn:
    """How long the cells of the last column are, below the first one, which is its name."""

    def __init__(self) -> None:
        self._count = -1
        self._least, self._most, self._are_codes = sys.maxsize, 0, True

    def add(self, cell: str) -> None:
        self._count += 1
        if self._count:
            self._least, self._most = min(self._least, len(cell)), max(self._most, len(cell))
            self._are_codes = self._are_codes and any(map(str.isdecimal, cell))

    def is_longer_than(self, cell: str) -> bool:
        """Return whether a cell is shorter than all, so that it may be cut: one of IDs that have one length, or days,
        or of so many texts that it is odd.
        """
        if self._count < 1 or len(cell) >= self._least:
            return False
        return self._count >= ENOUGH_TEXTS or (cell != "" and self._are_codes and self._least == self._most)


def _as_typed(line: int, cells: list[str], spans: Spans) -> Record:
    """Return a row of texts as Excel takes them when it opens the file."""
    texts = [TEXT_AS_FORMULA.sub(r"\1\2", cell) for cell in cells]
    return line, texts, [index for index, cell in enumerate(texts) if cell.startswith("=")], spans


def _requoted(lines: Iterable[str], delimiter: str) -> Iterator[str]:
    """Quote cells that only begin with a word in quotation marks, such as “"Ромашка" ООО”, which would lose them.

    MySQL writes a quotation mark within quoted cells with a backslash before it.
    """
    d = re.escape(delimiter)
    escaped = re.compile(rf'\\"[^{d}"\r\n]')
    cell = re.compile(rf'(?:^|(?<={d}))"(?:[^"\\]|\\.|"")*"(?=[{d}\r\n]|\Z)')
    word_first = re.compile(rf'(^|{d})("[^"{d}\r\n]+"(?![ \t]*(?:[{d}\r\n]|\Z))[^"{d}\r\n][^{d}\r\n]*)')
    for line in lines:
        if escaped.search(line):
            yield cell.sub(_unescaped, line)
        else:
            yield word_first.sub(_quoted, line) if '"' in line else line


def _unescaped(cell: re.Match[str]) -> str:
    return BACKSLASHED.sub(lambda sign: sign[1] * (1 + (sign[1] == '"')), cell[0])


def _quoted(cell: re.Match[str]) -> str:
    wrapped = IN_BARE_QUOTES.fullmatch(cell[2])
    return cell[1] + '"' + (wrapped[1] if wrapped else cell[2]).replace('"', '""') + '"'


def _with_end(lines: Iterable[str]) -> Iterator[str]:
    line = "\n"
    for line in lines:
        yield line
    if line.endswith(("\n", "\r")):
        yield END
    else:
        yield QUOTE_CLOSED if line.endswith('"') else BROKEN_OFF


def main(arguments: list[str]) -> int:
    """Do what the arguments say, and return the exit status."""
    command, seconds, *how = arguments
    # When nobody reads the rows any more, this process ends.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_DATA, (MAX_MEMORY, MAX_MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (int(seconds), int(seconds) + 5))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    csv.field_size_limit(sys.maxsize)
    try:
        table = sys.stdin.buffer
        for line in map(vars, inspect(table)) if command == "inspect" else read(table, *how):
            sys.stdout.write(json.dumps(line) + "\n")
        return 0
    except Refused as error:
        refusal = error
    except MemoryError:
        refusal = Refused("table_unpacked")
    sys.stdout.write(json.dumps({"refused": refusal.code, "params": refusal.params}) + "\n")
    return REFUSED


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
