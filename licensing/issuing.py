"""Many keys from a CSV: all of its rows or none, and the made ones as a CSV that no spreadsheet runs."""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, NamedTuple

import orjson
from django.utils.translation import gettext as _

from accounts.actors import Actor
from accounts.audit_export import harmless
from licensing import keys, minting
from licensing.keys import LONGEST_NAME, MOST_PACKAGES, Wanted
from licensing.models import LicenseKey
from registry.errors import InvalidInput

MOST_ROWS, MOST_BYTES = 1000, 1024 * 1024
LONGEST_RANGE, LONGEST_PACKAGE, LONGEST_META_NAME = 256, 214, 64
NEEDED, KNOWN = ("name", "packages"), ("name", "packages", "constraint", "value", "fallback")
YES, NO = {"yes", "true", "1"}, {"", "no", "false", "0"}
YEARS = range(2000, 2100)
BETWEEN = re.compile(r"[\s,;]+")


class Problem(NamedTuple):
    """What is wrong in a line of the CSV, counted from one, and in which of its fields."""

    line: int
    field: str
    reason: str


class BadRows(InvalidInput):
    """Nothing was made; `problems` says why, in the order of the lines."""

    code = "bad_rows"

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__(_("No key was made: correct the lines below, and send the whole list again."))
        self.problems = sorted(problems)


def issue(raw: bytes, actor: Actor) -> list[LicenseKey]:
    """A key for each row under the header `name,packages,constraint,value,fallback`; other columns become meta.

    Raises BadRows with every line that is wrong, and makes no key then. At most 1,000 rows and 1 MiB of UTF-8.
    """
    keys.manages(actor)
    wanted, problems = read(raw)
    lines = list(wanted)
    for line, found in zip(lines, keys.check_many(list(wanted.values()), actor), strict=True):
        if isinstance(found, InvalidInput):
            problems.append(Problem(line, _field_of(found), found.message))
    if problems:
        raise BadRows(problems)
    return keys.create_many(list(wanted.values()), actor)


# --- reading -------------------------------------------------------------------------------------------------------
def read(raw: bytes) -> tuple[dict[int, Wanted], list[Problem]]:
    """What each line asks for, and what is wrong; raises BadRows where it is no list of keys at all."""
    rows = _rows(_text(raw))
    header_line, header = next(rows, (1, []))
    names = _names(header, header_line)
    wanted: dict[int, Wanted] = {}
    problems: list[Problem] = []
    for number, (line, cells) in enumerate(rows, 1):
        if number > MOST_ROWS:
            raise _unreadable(_("A list has at most %d rows.") % MOST_ROWS, line)
        try:
            wanted[line] = _wanted(names, cells)
        except InvalidInput as refusal:
            problems.append(Problem(line, _field_of(refusal), refusal.message))
    if not wanted and not problems:
        raise _unreadable(_("There is no row below the header."), header_line)
    return wanted, problems


def _text(raw: bytes) -> str:
    if len(raw) > MOST_BYTES:
        raise _unreadable(_("A list has at most 1 MiB."))
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise _unreadable(_("This is not UTF-8. Save the list as “CSV UTF-8”."), line) from error
    if "\x00" in text:
        raise _unreadable(_("A list is text, without NUL."), text[: text.index("\x00")].count("\n") + 1)
    return text


def _rows(text: str) -> Iterator[tuple[int, list[str]]]:
    """The rows that are not blank, each with the line it begins in; split at semicolons where the header is."""
    header = text.lstrip("\r\n").partition("\n")[0]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=";" if ";" in header else ",", strict=True)
    line = 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield line, [cell.strip() for cell in cells]
            line = reader.line_num + 1
    except csv.Error as error:
        raise _unreadable(_("Its quotes do not close, or a cell is too long."), line) from error


def _names(header: list[str], line: int) -> list[str]:
    """The columns: those we know in lower case, meta as it is spelled."""
    names = [name.lower() if name.lower() in (*KNOWN, "key") else name for name in header]
    if missing := [name for name in NEEDED if name not in names]:
        raise _unreadable(_("The header lacks this column."), line, missing[0])
    if "key" in names:
        raise _unreadable(_("Keys are made by chance here. Leave this column out."), line, "key")
    for name in names:
        if not name or len(name) > LONGEST_META_NAME or names.count(name) > 1:
            why = _("Each column has a name of its own, of at most %d characters.") % LONGEST_META_NAME
            raise _unreadable(why, line, name[:LONGEST_META_NAME])
    return names


def _wanted(names: list[str], cells: list[str]) -> Wanted:
    if len(cells) > len(names):
        raise _wrong("", _("This line has more cells than the header."))
    row = dict(zip(names, cells, strict=False))
    fallback = row.get("fallback", "").lower()
    if fallback not in YES | NO:
        raise _wrong("fallback", _("Say yes or no."))
    return Wanted(
        name=_name(row["name"]),
        packages=packages_in(row.get("packages", "")),
        meta={name: cell for name, cell in row.items() if name not in KNOWN and cell},
        **limit(row.get("constraint", ""), row.get("value", ""), has_fallback=fallback in YES),
    )


def _name(text: str) -> str:
    if not 0 < len(text) <= LONGEST_NAME:
        raise _wrong("name", _("A name has 1 to %d characters.") % LONGEST_NAME)
    return text


def packages_in(text: str) -> tuple[str, ...]:
    """The names in it, apart by spaces, commas or semicolons; raises InvalidInput for none or too many."""
    found = tuple(dict.fromkeys(name for name in BETWEEN.split(text) if name))
    if not 0 < len(found) <= MOST_PACKAGES or any(len(name) > LONGEST_PACKAGE for name in found):
        raise _wrong("packages", _("Name 1 to %d packages, with spaces between them.") % MOST_PACKAGES)
    return found


def limit(kind: str, value: str, *, has_fallback: bool = False) -> dict[str, Any]:
    """The part of a Wanted that limits it; raises InvalidInput naming constraint, value or fallback."""
    kind = kind.lower() or "none"
    if kind not in LicenseKey.Constraint.values:
        raise _wrong("constraint", _("One of none, date, version."))
    if has_fallback and kind != "date":
        raise _wrong("fallback", _("Only a key with a date can leave older versions open after it."))
    if kind == "none" and value:
        raise _wrong("constraint", _("Say date or version, or leave the value out."))
    if kind == "date":
        return {"constraint": kind, "until": until_of(value), "has_fallback": has_fallback}
    if kind == "version" and not 0 < len(value) <= LONGEST_RANGE:
        raise _wrong("value", _("Give a range of versions such as <2.0.0."))
    return {"constraint": kind, "range": value}


def until_of(text: str) -> datetime:
    """The end of a day (UTC) that counts as the last one, or a moment with its time."""
    try:
        moment = _end_of(date.fromisoformat(text)) if len(text) == len("2027-01-31") else datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.year not in YEARS:
        raise _wrong("value", _("Give the last day as in 2027-01-31, of the years 2000 to 2099."))
    return keys.whole_ms(moment if moment.tzinfo else moment.replace(tzinfo=UTC))


def _end_of(day: date) -> datetime | None:
    return datetime.combine(day, time(), UTC) + timedelta(days=1) if day.year in YEARS else None


# --- writing -------------------------------------------------------------------------------------------------------
def write(made: Iterable[LicenseKey]) -> str:
    """The keys with their values (RFC 4180): first what the list said of them, then a column for each name in meta."""
    rows = list(made)
    named = list(dict.fromkeys(name for key in rows for name in key.meta))
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow([harmless(name) for name in ("key", *KNOWN, *named)])
    for key in rows:
        meta = [cell(key.meta.get(name, "")) for name in named]
        writer.writerow([harmless(cell) for cell in (minting.unseal(key.sealed), *_cells(key), *meta)])
    return buffer.getvalue()


def _cells(key: LicenseKey) -> tuple[str, ...]:
    value = spelled(key.valid_until) if key.valid_until else key.version_range
    fallback = "yes" if key.perpetual_fallback else ""
    return key.name, " ".join(key.package_names), key.constraint_type, value, fallback


def spelled(until: datetime) -> str:
    """The last day, where the key ends with it, else the moment."""
    end = until.astimezone(UTC)
    return f"{end - timedelta(days=1):%Y-%m-%d}" if end.time() == time() else f"{end:%Y-%m-%dT%H:%M:%SZ}"


def cell(value: Any) -> str:
    """A value of meta as one reads it."""
    return value if isinstance(value, str) else orjson.dumps(value).decode()


# --- refusing ------------------------------------------------------------------------------------------------------
def _wrong(field: str, why: str) -> InvalidInput:
    return InvalidInput(why, details={field: [why]})


def _unreadable(why: str, line: int = 1, field: str = "") -> BadRows:
    return BadRows([Problem(line, field, why)])


def _field_of(refusal: InvalidInput) -> str:
    """The column that is meant: what we call a constraint is the value, where the activity refuses it."""
    details: Mapping[str, Any] = refusal.details
    field = next(iter(details), "")
    is_range = field == "constraint" and str(details[field]).startswith("['value")
    return "value" if is_range else field
