"""Reads a table of texts from a CSV or XLSX file, row by row.

This is the program of a child process (reader_process.py): the file comes from outside, so its memory and its time are
limited here. It imports nothing of the app. The file is its standard input.

    reader.py inspect SECONDS                  writes one line: what is in the file, as Contents
    reader.py read SECONDS ENCODING DELIMITER  writes a line for each row that is not empty, as Row; XLSX has neither

Everything is JSON. A refusal is the last line, {"refused": code, "params": {…}}, with exit status 3.

Lines are counted as a spreadsheet counts them: an empty row is one, and line breaks within a cell add none.
"""

import codecs
import csv
import datetime
import io
import json
import re
import resource
import signal
import sys
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain, islice
from math import log
from typing import Any, BinaryIO
from zipfile import BadZipFile, ZipFile

if __name__ == "__main__":
    # openpyxl would import it where it is installed, which takes time and memory, and is not needed.
    sys.modules["numpy"] = None  # type: ignore[assignment]

REFUSED = 3
# In bytes, without the libraries. The largest tables that are read take half of it.
MAX_MEMORY = 256 * 1024 * 1024
MAX_COLUMNS = 256
MAX_ROWS = 200_000
# In characters. A longer cell is cut, and ends with the mark: no field of a person is as long. A file can point at one
# text from each of its cells, so what is said once in it would be stored many thousand times.
MAX_CELL, CUT_MARK = 256, "…"
# The same of the first rows, which are stored with the import: the names of its columns, and what they look like.
MAX_SHOWN = 64
# The header is looked for among so many rows; some rows below it are shown.
HEAD, SAMPLE = 20, 5
# So many rows of an XLSX are counted by reading them.
COUNTED = 5_000
ROW_TAG = b"<row "

Record = tuple[list[str], list[int]]
# The line, the cells, the indexes of cells with a formula or an error, and whether there were more cells.
Row = tuple[int, list[str], list[int], bool]

ZIP = b"PK\x03\x04"
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
# An encrypted XLSX is an OLE file with a stream of this name (MS-OFFCRYPTO, 2.3.4.4).
ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
MACROS = "vbaProject.bin"
STRINGS = "xl/sharedStrings.xml"
MAX_UNPACKED_BYTES = 200 * 1024 * 1024
MAX_ENTRIES = 10_000
# Tables are packed to a tenth, those of many equal rows to a fiftieth; deflate can do a thousandth.
MAX_RATIO, SMALL_ENTRY = 200, 10 * 1024 * 1024
# What openpyxl and what it is made of raise for files that are not as they should be.
BROKEN = (
    ArithmeticError, AssertionError, AttributeError, BadZipFile, EOFError, LookupError, OSError, RuntimeError,
    SyntaxError, TypeError, ValueError, zlib.error,
)  # fmt: skip
# The format of a number with leading zeros, as personnel numbers have them.
LEADING_ZEROS = re.compile(r"0{2,32}\Z")
# A float is exact so far.
MAX_EXACT_INTEGER = 2**53

SEPARATORS = (";", "\t", ",")
SEPARATOR_LINES = 100
# The first line that Excel understands; it is no row of the table.
SEPARATOR_LINE = re.compile(r'"?sep=([;,\t|])"?[\r\n]*\Z', re.IGNORECASE)
# What programs write so that Excel keeps leading zeros: ="007" and '007.
TEXT_AS_FORMULA = re.compile(r"""\A(?:="([^"]*)"|'([0-9A-Za-z]+))\Z""")
# A line after the last one of the file. A reader that takes it for a part of a cell is inside of quotation marks.
END = "\0end"
NOT_FOR_DATABASES = re.compile("[\0\ud800-\udfff]")
CONTROLS = bytes(set(range(32)) - set(b"\t\n\v\f\r\x1a"))
MARKUP = (b"<", b"\xef\xbb\xbf<")

BYTE_ORDER_MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
WINDOWS = "cp1251"
OTHER_CYRILLIC = ("koi8-r", "cp866", "iso8859-5", "mac-cyrillic")
FOREIGN_WORD = re.compile(rb"[A-Za-z]*[\x80-\xff][A-Za-z\x80-\xff]*")
MAX_WORDS = 20_000
# How often each letter is among ten thousand of Russian texts, and what is given for anything else.
LETTERS = (
    "о1098 е845 а801 и735 н670 т626 с547 р473 в454 л440 к349 м321 д298 п281 у262 я201 ы190 ь174 г170 з165 б159 ч144 "
    "й121 х97 ж94 ш73 ю64 ц48 щ36 э32 ф27 ъ4 ё20 і5 ї5 є5 ў5 ґ5"
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


@dataclass
class Contents:
    """What is in a file. `rows` counts those that are not empty, `head` are the first of them."""

    format: str
    encoding: str = ""
    delimiter: str = ""
    rows: int = 0
    head: list[Row] = field(default_factory=list)


def inspect(file: BinaryIO) -> Contents:
    """Return what is in a file.

    :raises Refused: when it cannot be read as a table.
    """
    return _inspect_xlsx(file) if _is_xlsx(file) else _inspect_csv(file)


def read(file: BinaryIO, encoding: str = "", delimiter: str = "") -> Iterator[Row]:
    """Yield the rows of a file that was inspected before; an XLSX has neither encoding nor delimiter.

    :raises Refused: when it cannot be read to its end.
    """
    if encoding:
        return _rows(_csv_records(file, encoding, delimiter))
    _refuse_bomb(file)
    return _rows(_records(_sheet(_workbook(file))))


def _rows(records: Iterable[Record]) -> Iterator[Row]:
    """Yield the rows that are not empty, without empty cells at their ends."""
    count = 0
    for line, (cells, formulas) in enumerate(records, 1):
        while cells and not cells[-1].strip():
            cells.pop()
        if not cells:
            continue
        count += 1
        if count > MAX_ROWS:
            raise Refused("table_rows", n=MAX_ROWS)
        short = [_shortened(cell, MAX_CELL) if len(cell) > MAX_CELL else cell for cell in cells[:MAX_COLUMNS]]
        clean = [NOT_FOR_DATABASES.sub("", cell) if NOT_FOR_DATABASES.search(cell) else cell for cell in short]
        yield line, clean, formulas, len(cells) > MAX_COLUMNS


def _shortened(cell: str, length: int) -> str:
    text = cell.strip()
    return text if len(text) <= length else text[: length - 1] + CUT_MARK


def _head(rows: Iterator[Row]) -> list[Row]:
    return [
        (line, [_shortened(cell, MAX_SHOWN) for cell in cells], formulas, too_long)
        for line, cells, formulas, too_long in islice(rows, HEAD + SAMPLE)
    ]


def _is_xlsx(file: BinaryIO) -> bool:
    """Return True for a ZIP file.

    :raises Refused: for an empty file, and for the other formats of Excel.
    """
    start = file.read(len(OLE))
    if not start:
        raise Refused("table_empty")
    if start == OLE:
        raise Refused("table_password" if ENCRYPTED in file.read() else "table_old_excel")
    return start.startswith(ZIP)


def _inspect_xlsx(file: BinaryIO) -> Contents:
    _refuse_bomb(file)
    workbook = _workbook(file)
    sheet = _sheet(workbook)
    rows = _rows(_records(sheet))
    head = _head(rows)
    count = len(head) + sum(1 for _ in islice(rows, COUNTED))
    if count == HEAD + SAMPLE + COUNTED:
        count = max(count, _rows_in_xml(workbook, sheet))
    return Contents("xlsx", rows=count, head=head)


def _rows_in_xml(workbook: Any, sheet: Any) -> int:
    """Return about how many rows a sheet has: its tags are counted, which takes a tenth of the time of reading."""
    count, end = 0, b""
    with workbook._archive.open(sheet._worksheet_path) as part:
        while chunk := part.read(1024 * 1024):
            count += (end + chunk).count(ROW_TAG)
            end = chunk[1 - len(ROW_TAG) :]
    return count


def _refuse_bomb(file: BinaryIO) -> None:
    """Refuse what is not to be unpacked. No part unpacks to more bytes than the file says of it (zipfile)."""
    try:
        parts = ZipFile(file).infolist()
    except BROKEN as error:
        raise Refused("table_damaged") from error
    names = {part.filename for part in parts}
    if "[Content_Types].xml" not in names or "xl/workbook.bin" in names:
        raise Refused("table_unreadable")
    if any(part.flag_bits & 1 for part in parts):
        raise Refused("table_password")
    if any(name.endswith(MACROS) for name in names):
        raise Refused("table_macros")
    stuffed = any(part.file_size > max(SMALL_ENTRY, MAX_RATIO * part.compress_size) for part in parts)
    if stuffed or len(parts) > MAX_ENTRIES or sum(part.file_size for part in parts) > MAX_UNPACKED_BYTES:
        raise Refused("table_unpacked")


def _workbook(file: BinaryIO) -> Any:
    # A CSV needs no openpyxl, which takes longer to load than most tables to read.
    from openpyxl.reader.excel import ExcelReader

    try:
        reader = ExcelReader(file, read_only=True, keep_links=False)
        # 1C calls the part SharedStrings.xml, and in the list of parts sharedStrings.xml.
        named = {part.filename.lower(): part for part in reader.archive.infolist()}
        if STRINGS.lower() in named:
            reader.archive.NameToInfo.setdefault(STRINGS, named[STRINGS.lower()])
        reader.read()
    except BROKEN as error:
        raise Refused("table_damaged") from error
    return reader.wb


def _sheet(workbook: Any) -> Any:
    """Return the first sheet that has something; hidden ones come last."""
    try:
        for sheet in sorted(workbook.worksheets, key=lambda sheet: sheet.sheet_state != "visible"):
            # The size that it says may be wrong, and openpyxl would read no further.
            sheet.reset_dimensions()
            if any(value not in {None, ""} for row in sheet.iter_rows(values_only=True) for value in row):
                return sheet
    except BROKEN as error:
        raise Refused("table_damaged") from error
    raise Refused("table_empty")


def _records(sheet: Any) -> Iterator[Record]:
    try:
        for cells in sheet.iter_rows():
            formulas = [index for index, cell in enumerate(cells) if cell.data_type in {"f", "e"}]
            yield [_text_of(cell) for cell in cells], formulas
    except BROKEN as error:
        raise Refused("table_damaged") from error


def _text_of(cell: Any) -> str:
    """Return a cell as a text: a number without “.0”, a date as YYYY-MM-DD, a boolean as yes or no."""
    value = cell.value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return _number(value, cell.number_format)
    if isinstance(value, datetime.datetime):
        value = value.date()
    return value if isinstance(value, str) else str(getattr(value, "text", value))


def _number(value: float, shown_as: str) -> str:
    if isinstance(value, float) and value.is_integer() and abs(value) <= MAX_EXACT_INTEGER:
        value = int(value)
    return f"{value:0{len(shown_as)}d}" if isinstance(value, int) and LEADING_ZEROS.match(shown_as) else str(value)


def _inspect_csv(file: BinaryIO) -> Contents:
    encoding = _encoding(file)
    delimiter = _delimiter(file, encoding)
    rows = _rows(_csv_records(file, encoding, delimiter))
    head = _head(rows)
    return Contents("csv", encoding, delimiter, rows=len(head) + sum(1 for _ in rows), head=head)


def _encoding(file: BinaryIO) -> str:
    """Return UTF-8, UTF-16 with a byte order mark, or Windows-1251.

    :raises Refused: when the file is in none of them, or is no text.
    """
    file.seek(0)
    data = file.read()
    for mark, encoding in BYTE_ORDER_MARKS.items():
        if data.startswith(mark) and encoding == "utf-16":
            return encoding
    controls = 1 - len(data.translate(None, CONTROLS)) / len(data)
    if data.lstrip().startswith(MARKUP) or b"\0" in data or controls > 0.001:
        raise Refused("table_unreadable")
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        if _is_windows(data):
            return WINDOWS
        raise Refused("table_encoding") from error
    return "utf-8-sig"


def _is_windows(data: bytes) -> bool:
    """Return whether a text is Russian in Windows-1251: no other encoding of Cyrillic makes more sense of it."""
    words = b" ".join(word[0] for word in islice(FOREIGN_WORD.finditer(data), MAX_WORDS))
    try:
        text = words.decode(WINDOWS)
    except UnicodeDecodeError:
        return False
    strange = [letter for letter in text if letter > "\x7f" and letter.lower() not in WEIGHTS]
    if len(strange) > MAX_STRANGE * len(text) or b"\x98" in data:
        return False
    utf_8 = words.decode("utf-8", "replace")
    if utf_8.count("\ufffd") * 2 < sum(letter > "\x7f" for letter in utf_8):  # a broken text in UTF-8
        return False
    mixed = sum(1 for word in text.split(" ") if MIXED.search(word))
    if mixed > MAX_MIXED * (text.count(" ") + 1):
        return False
    likelihood = _likelihood(text) + USUAL
    return all(likelihood > _likelihood(words.decode(encoding, "replace")) for encoding in OTHER_CYRILLIC)


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
    for line, cells in enumerate(csv.reader(chain(before, lines, [END]), delimiter=delimiter), 1):
        if cells == [END]:
            return
        if cells and cells[-1].endswith(END):
            raise Refused("table_quote", line=line)
        texts = [TEXT_AS_FORMULA.sub(r"\1\2", cell) for cell in cells]
        yield texts, [index for index, cell in enumerate(texts) if cell.startswith("=")]


def main(arguments: list[str]) -> int:
    """Do what the arguments say, and return the exit status."""
    command, seconds, *layout = arguments
    # When nobody reads the rows any more, this process ends.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_DATA, (MAX_MEMORY, MAX_MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (int(seconds), int(seconds) + 5))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    csv.field_size_limit(sys.maxsize)
    try:
        for row in [vars(inspect(sys.stdin.buffer))] if command == "inspect" else read(sys.stdin.buffer, *layout):
            sys.stdout.write(json.dumps(row) + "\n")
        return 0
    except Refused as error:
        refusal = error
    except MemoryError:
        refusal = Refused("table_unpacked")
    sys.stdout.write(json.dumps({"refused": refusal.code, "params": refusal.params}) + "\n")
    return REFUSED


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
