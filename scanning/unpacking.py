"""What scanners are shown of a release: its files in a private folder, and a bill of materials that names it.

Only archives that the strict reader took become releases, and their paths are held against its rules once more; the
standard library reads the bytes, which agreed with the strict reader about every entry when they came in.
"""

import json
import os
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import IO

from packageurl import PackageURL

from registry import ecosystems
from registry.ecosystems import archives
from registry.errors import RegistryError
from scanning.scanners import subprocesses
from scanning.scanners.base import NothingToConsult, Unavailable

LIMIT = 1024 * 1024 * 1024
MAX_FILES = 20_000
CHUNK = 256 * 1024
BROKEN = (tarfile.TarError, zipfile.BadZipFile, zlib.error, EOFError, ValueError, NotImplementedError, OSError)

Openers = Sequence[Callable[[], AbstractContextManager[Path]]]
Content = Iterator[tuple[str, IO[bytes]]]


class Unpacked:
    """The material of one release. `openers` give the files that are held of it, as paths, one after the other."""

    def __init__(self, purl: str, openers: Openers) -> None:
        self._purl = purl
        self._openers = openers
        self._stack = ExitStack()
        self._files: Path | None = None
        self._bill: Path | None = None

    def __enter__(self) -> "Unpacked":
        return self

    def __exit__(self, *about: object) -> None:
        self._stack.close()

    def files(self) -> Path:
        """Each held file unpacked into a folder of its number; raises NothingToConsult where none is held."""
        if not self._openers:
            raise NothingToConsult("No file of this version is held here.")
        if self._files is None:
            folder = self._stack.enter_context(subprocesses.private_folder())
            for number, opener in enumerate(self._openers):
                _unpack(opener, folder / str(number))
            self._files = folder
        return self._files

    def bill(self) -> Path:
        """CycloneDX 1.6 with one component: what it depends on is scanned as a release of its own."""
        if self._bill is None:
            bill = self._stack.enter_context(subprocesses.private_folder()) / "bom.cdx.json"
            bill.write_text(json.dumps(_bill(self._purl)))
            bill.chmod(0o644)
            self._bill = bill
        return self._bill


def unpacked(ecosystem: str, name: str, version: str, openers: Openers) -> Unpacked:
    """The material of a release, nothing of it made yet."""
    return Unpacked(ecosystems.get(ecosystem).purl(name, version), openers)


def _bill(purl: str) -> dict[str, object]:
    parsed = PackageURL.from_string(purl)
    component = {"type": "library", "bom-ref": purl, "name": parsed.name, "version": parsed.version, "purl": purl}
    if parsed.namespace:
        component["group"] = parsed.namespace
    return {"bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1, "components": [component]}


def _unpack(opener: Callable[[], AbstractContextManager[Path]], folder: Path) -> None:
    """Write the files of one archive below the folder; a file that is no archive is written as it is."""
    folder.mkdir(mode=0o755)
    budget = _Budget()
    try:
        with opener() as path, _entries(path) as entries:
            for name, content in entries:
                archives.check_path(name)
                _write(folder.joinpath(*name.split("/")), content, budget)
    except BROKEN as problem:
        raise Unavailable(f"Its archive could not be unpacked ({type(problem).__name__}).") from problem
    except RegistryError as problem:
        raise Unavailable(f"Its archive could not be unpacked: {problem.message}") from problem


class _Budget:
    """How much may still be written."""

    def __init__(self) -> None:
        self.bytes, self.files = LIMIT, MAX_FILES

    def take(self, size: int, files: int = 0) -> None:
        self.bytes -= size
        self.files -= files
        if self.bytes < 0 or self.files < 0:
            raise Unavailable("It unpacks to more than scanners are given.")


def _write(path: Path, content: IO[bytes], budget: _Budget) -> None:
    """A new plain file: never over another one, never through a link, never executable."""
    budget.take(0, files=1)
    path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o644)
    with os.fdopen(handle, "wb") as file:
        while chunk := content.read(CHUNK):
            budget.take(len(chunk))
            file.write(chunk)


@contextmanager
def _entries(path: Path) -> Iterator[Content]:
    with path.open("rb") as file:
        head = file.read(4)
    if head.startswith(b"\x1f\x8b") and _is_tar(path):
        with tarfile.open(path, "r:gz") as tar:
            yield _of_tar(tar)
    elif head == b"PK\x03\x04":
        with zipfile.ZipFile(path) as archive:
            yield ((info.filename, archive.open(info)) for info in archive.infolist() if not info.is_dir())
    else:
        with path.open("rb") as file:
            yield iter([("file", file)])


def _is_tar(path: Path) -> bool:
    try:
        with tarfile.open(path, "r:gz") as tar:
            return tar.next() is not None
    except BROKEN:
        return False


def _of_tar(tar: tarfile.TarFile) -> Content:
    for member in tar:
        content = tar.extractfile(member) if member.isreg() else None
        if content is not None:
            yield member.name, content
