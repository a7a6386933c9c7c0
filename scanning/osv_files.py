"""OSV documents as they lie about: a JSON file, an array or a sequence of documents, a folder, a zip. Streamed."""

import codecs
import json
import lzma
import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from registry.errors import InvalidInput

LIMIT = 16 * 1024 * 1024
CHUNK = 256 * 1024
SPACE = re.compile(r"[\s,\[\]]*")
SUFFIXES = (".json", ".jsonl", ".ndjson")


@dataclass(frozen=True, slots=True)
class Found:
    """One document under the name by which people find it again, or the reason why there is none."""

    name: str
    data: Any = None
    problem: str = ""


def count(path: Path) -> int | None:
    """How many documents to expect, where that is known without reading them."""
    if path.is_dir():
        return sum(1 for _ in _files(path))
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            return sum(1 for info in archive.infolist() if info.filename.lower().endswith(SUFFIXES))
    return None


def read(path: Path) -> Iterator[Found]:
    """Every document below a path; raises InvalidInput only where the path itself cannot be read."""
    if not path.exists():
        raise InvalidInput(f"There is no file or folder {path}.")
    if path.is_dir():
        for file in _files(path):
            yield from _read_file(file, str(file.relative_to(path)))
    elif zipfile.is_zipfile(path):
        yield from _read_zip(path)
    elif _begins_like_zip(path):
        raise InvalidInput(f"{path.name} is a zip that ends too early or is damaged. Nothing of it was read.")
    else:
        yield from _read_file(path, path.name)


def _files(folder: Path) -> Iterator[Path]:
    return (file for file in sorted(folder.rglob("*")) if file.suffix.lower() in SUFFIXES and file.is_file())


def _begins_like_zip(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) in (b"PK\x03\x04", b"PK\x05\x06")


def _read_zip(path: Path) -> Iterator[Found]:
    """Each member on its own: a damaged one is named, and the others are read."""
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, NotImplementedError, ValueError) as problem:
        raise InvalidInput(f"{path.name} is a damaged zip ({problem}). Nothing of it was read.") from None
    with archive:
        for info in archive.infolist():
            if not info.is_dir() and info.filename.lower().endswith(SUFFIXES):
                yield from _read_member(archive, info)


def _read_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Iterator[Found]:
    try:
        with archive.open(info) as member:
            content = member.read(LIMIT + 1)
    except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, RuntimeError, OSError, EOFError) as problem:
        yield Found(info.filename, problem=f"The archive member cannot be read: {problem}.")
    else:
        yield from _parse(content, info.filename)


def _read_file(file: Path, name: str) -> Iterator[Found]:
    if file.stat().st_size <= LIMIT:
        yield from _parse(file.read_bytes(), name)
    else:
        yield from _parse_stream(file, name)


def _parse(content: bytes, name: str) -> Iterator[Found]:
    if len(content) > LIMIT:
        yield Found(name, problem=f"It is larger than {LIMIT // 2**20} MiB.")
        return
    try:
        data = orjson.loads(content)
    except orjson.JSONDecodeError as problem:
        yield from _parse_lines(content, name, str(problem))
        return
    if isinstance(data, list):
        yield from (Found(f"{name}[{position}]", one) for position, one in enumerate(data))
    else:
        yield Found(name, data)


def _parse_lines(content: bytes, name: str, problem: str) -> Iterator[Found]:
    """One document per line, where the first line is one; else the whole is malformed."""
    lines = content.splitlines()
    if not name.lower().endswith((".jsonl", ".ndjson")) or len(lines) < 2:
        yield Found(name, problem=f"It is no JSON: {problem}.")
        return
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                yield Found(f"{name}:{number}", orjson.loads(line))
            except orjson.JSONDecodeError as fault:
                yield Found(f"{name}:{number}", problem=f"It is no JSON: {fault}.")


def _parse_stream(file: Path, name: str) -> Iterator[Found]:
    """The documents of a file too large to hold: an array of them, or one after the other."""
    decoder, text, position, rest = json.JSONDecoder(), "", 0, codecs.getincrementaldecoder("utf-8")()
    with file.open("rb") as stream:
        while chunk := stream.read(CHUNK):
            try:
                text += rest.decode(chunk)
            except UnicodeDecodeError as problem:
                yield Found(f"{name}[{position}]", problem=f"It is not UTF-8: {problem.reason}.")
                return
            while found := _next(decoder, text):
                data, end = found
                yield Found(f"{name}[{position}]", data)
                text, position = text[end:], position + 1
            if len(text) > LIMIT:
                break
    if SPACE.sub("", text, count=1):
        yield Found(f"{name}[{position}]", problem="It is no JSON from here on, or larger than 16 MiB.")


def _next(decoder: json.JSONDecoder, text: str) -> tuple[Any, int] | None:
    """The next whole document and where it ends; None where more text is needed."""
    blank = SPACE.match(text)
    start = blank.end() if blank else 0
    if start == len(text):
        return None
    try:
        return decoder.raw_decode(text, start)
    except (json.JSONDecodeError, RecursionError):
        return None
