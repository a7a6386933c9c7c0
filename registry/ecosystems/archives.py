"""Bounded, safe opening of archives: the rules every entry obeys, whatever the container.

Nothing is ever extracted. The readers (`tar_reading`, `zip_reading`) walk the bytes once, in constant memory, hash
each file and keep only the few small members that the caller wants. What can be read in two ways is refused, never
repaired.

Decisions, where the formats leave a choice:
- refused: links, devices, sparse files, GNU dump types, PAX overrides of size, global PAX headers but one comment,
  encryption, methods other than stored and deflate, stored entries with a data descriptor, second names (0x7075),
  names that are not UTF-8 or not flagged so, anything before, between or after the records;
- refused in names: `..`, `.`, empty parts, backslash, colon, control and invisible characters, trailing dot or blank,
  Windows device names, other Unicode forms than NFC, two names equal after NFKC and case folding, a `.git` folder;
- accepted: any mode, `node_modules`, a tilde, other names than ASCII, GNU and PAX long names, an archive comment,
  deflated entries with a data descriptor, ZIP64 that agrees with itself.
"""

import hashlib
import re
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from registry.ecosystems.base import Entry
from registry.ecosystems.naming import shorten
from registry.errors import Refused

MIB = 1024 * 1024
ARCHIVE = "the archive"  # the entry that a refusal names where no entry was read yet


@dataclass(frozen=True, slots=True)
class Limits:
    """How much an archive may hold; the defaults are far above real packages and far below what hurts."""

    entries: int = 20_000
    folders: int = 40_000
    empty_entries: int = 2_000
    member_bytes: int = 1024 * MIB
    unpacked_bytes: int = 2048 * MIB
    ratio: int = 200
    ratio_floor: int = MIB // 4
    large_ratio: int = 40
    large_floor: int = 256 * MIB
    path_bytes: int = 1024
    part_bytes: int = 255
    all_path_bytes: int = 4 * MIB
    depth: int = 40
    pax_bytes: int = MIB // 4
    all_pax_bytes: int = 8 * MIB
    kept_bytes: int = 4 * MIB

    def check_ratio(self, unpacked: int, packed: int) -> None:
        """Raise Refused where so few bytes unpack to so many; the more there are, the less they may be packed."""
        for ratio, floor in ((self.ratio, self.ratio_floor), (self.large_ratio, self.large_floor)):
            if unpacked > floor and unpacked > packed * ratio:
                raise refuse_whole("archive_bomb", f"it unpacks to more than {ratio} times its size.")
        if unpacked > self.unpacked_bytes:
            raise refuse_whole("archive_limit", f"it unpacks to more than {self.unpacked_bytes:,} bytes.")


@dataclass(frozen=True, slots=True)
class Want:
    """How much of a member to keep; a `whole` one must fit, another is cut off."""

    limit: int
    whole: bool = False


Wanted = Callable[[str], Want | None]


@dataclass(slots=True)
class Place:
    """Where a reader stands: at an entry, after the last one, or still before the first."""

    entry: str = ""
    is_after: bool = False

    def reach(self, entry: str) -> None:
        """Stand at the entry; one without a name is told by the one before it."""
        self.entry, self.is_after = (entry, False) if entry else (self.entry, True)

    def __str__(self) -> str:
        return f" {'after' if self.is_after else 'at'} “{shorten(self.entry, 160)}”" if self.entry else ""


NOWHERE = Place()


def refuse(rule: str, entry: str, sentence: str) -> Refused:
    """The refusal of an archive for one of its entries: the rule as its code, both in the details."""
    if not entry:
        return refuse_whole(rule, f"an entry without a name {sentence}")
    return refusal(rule, f"The entry “{shorten(entry, 160)}” {sentence}", shorten(entry, 1024), sentence)


def refuse_whole(rule: str, sentence: str, place: Place = NOWHERE) -> Refused:
    """The refusal of an archive as a whole; the entry is the last one that was read, or else `ARCHIVE`."""
    message = f"The archive is refused{place}: {sentence}"
    return refusal(rule, message, shorten(place.entry, 1024) or ARCHIVE, sentence)


def refusal(code: str, message: str, entry: str, rule: str) -> Refused:
    """A refusal whose details name the entry and the rule, each as a list of one text."""
    return Refused(message, details={"entry": [entry], "rule": [rule]}, code=code)


@contextmanager
def locating(place: Place) -> Iterator[None]:
    """Say where it happened in refusals, raised in the block, that know of no entry."""
    try:
        yield
    except Refused as error:
        if not place.entry or error.details["entry"] != [ARCHIVE]:
            raise
        raise refuse_whole(error.code, error.details["rule"][0], place) from error


LIMITS = Limits()


@dataclass(slots=True)
class Opened:
    """An archive that was read to its end and obeyed every rule."""

    container: str  # tar.gz or zip
    entries: tuple[Entry, ...]
    folders: tuple[str, ...]
    unpacked_size: int
    kept: dict[str, bytes] = field(default_factory=dict)

    def one_root(self) -> str:
        """The single top folder that holds every file; raises Refused where there are several, or loose files."""
        loose = next((entry.path for entry in self.entries if "/" not in entry.path), "")
        if loose:
            raise refuse("archive_root", loose, "lies outside a top folder; a package has exactly one.")
        roots: dict[str, str] = {}
        for path in (*self.folders, *(entry.path for entry in self.entries)):
            roots.setdefault(path.partition("/")[0], path)
        if len(roots) != 1:
            names = ", ".join(f"“{shorten(root, 40)}”" for root in sorted(roots)[:3]) or "none"
            sentence = f"it needs exactly one top folder, and has {len(roots)} ({names})."
            raise refuse_whole("archive_root", sentence, Place(next(iter([*roots.values()][1:]), "")))
        return roots.popitem()[0]


_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_DEVICE = re.compile(
    r"(?:con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])(?:[ .].*)?", re.IGNORECASE | re.DOTALL
)
_PLAIN = re.compile(r"[A-Za-z0-9_@~+-](?:[A-Za-z0-9._@~+-]*[A-Za-z0-9_@~+-])?|\.[A-Za-z0-9_-]+")


def check_path(path: str, limits: Limits = LIMITS) -> None:
    """Raise Refused unless the path means the same, inside the folder it is unpacked to, on every system."""
    if not path:
        raise refuse("archive_path", "", "could land anywhere.")
    if len(path.encode("utf-8", "surrogatepass")) > limits.path_bytes:
        raise refuse("archive_limit", path, f"has a path longer than {limits.path_bytes} bytes.")
    if path.startswith("/"):
        raise refuse("archive_path", path, "has an absolute path.")
    if "\\" in path:
        raise refuse("archive_path", path, "has a backslash in its path, which is a separator on Windows.")
    parts = path.split("/")
    if len(parts) > limits.depth:
        raise refuse("archive_limit", path, f"lies deeper than {limits.depth} folders.")
    for part in parts:
        fault = _fault_of(part, limits)
        if fault:
            raise refuse("archive_path", path, fault)


def _fault_of(part: str, limits: Limits) -> str:
    if _PLAIN.fullmatch(part) and len(part) <= limits.part_bytes:
        return _fault_of_plain(part)
    if part in ("", "."):
        return "has an empty part or a “.” in its path."
    if part == "..":
        return "climbs out of the package with “..”."
    if len(part.encode("utf-8", "surrogatepass")) > limits.part_bytes:
        return f"has a part longer than {limits.part_bytes} bytes."
    if any(unicodedata.category(character) in _INVISIBLE for character in part):
        return "has a control, invisible or direction-changing character in its path."
    if ":" in part:
        return "has a colon in its path: a drive or a hidden stream on Windows."
    if part[-1] in " .":
        return "has a part that ends in a blank or a dot, which Windows drops."
    if not unicodedata.is_normalized("NFC", part):
        return "has a path that is not in Unicode form NFC."
    return _fault_of_plain(part)


def _fault_of_plain(part: str) -> str:
    folded = part.casefold()
    if _DEVICE.fullmatch(part):
        return "has a part that names a device on Windows."
    if folded in (".git", "git~1"):
        return "lies in a version-control folder, whose hooks could run."
    return ""


class Ledger:
    """Every path seen so far, so that no two entries can land on the same place of any file system."""

    def __init__(self, limits: Limits = LIMITS) -> None:
        self._limits = limits
        self._files: set[str] = set()
        self._folders: set[str] = set()
        self._named: set[str] = set()
        self._bytes = 0
        self._count = 0
        self._empty = 0

    def admit(self, path: str, *, is_folder: bool, size: int) -> None:
        """Check one entry against the rules and against all before it; raises Refused."""
        check_path(path, self._limits)
        self._weigh(path, is_folder, size)
        folded = path.casefold() if path.isascii() else unicodedata.normalize("NFKC", path).casefold()
        self._enter_parents(path, folded)
        if folded in self._named or (not is_folder and folded in self._folders):
            raise refuse(
                "archive_duplicate", path, "is there twice (names that differ only in case or form are equal)."
            )
        self._named.add(folded)
        (self._folders if is_folder else self._files).add(folded)

    def _weigh(self, path: str, is_folder: bool, size: int) -> None:
        limits = self._limits
        self._count += 1
        self._bytes += len(path)
        self._empty += not is_folder and size == 0
        if self._count > limits.entries:
            raise refuse_whole("archive_limit", f"it holds more than {limits.entries:,} entries.", Place(path))
        if self._bytes > limits.all_path_bytes or len(self._folders) > limits.folders:
            raise refuse_whole("archive_limit", "its paths are too many and too long taken together.", Place(path))
        if self._empty > limits.empty_entries and self._empty * 10 > self._count * 9:
            sentence = f"it is a flood of more than {limits.empty_entries:,} empty files."
            raise refuse_whole("archive_limit", sentence, Place(path))
        if size > limits.member_bytes:
            raise refuse("archive_limit", path, f"unpacks to more than {limits.member_bytes:,} bytes.")

    def _enter_parents(self, path: str, folded: str) -> None:
        parent = folded.rpartition("/")[0]
        while parent and parent not in self._folders:
            if parent in self._files:
                raise refuse("archive_duplicate", path, "lies under a path that is a file.")
            self._folders.add(parent)
            parent = parent.rpartition("/")[0]


class Shelf:
    """The small members that were wanted; what need not be whole shares a budget, so that memory stays bounded."""

    def __init__(self, wanted: Wanted, limits: Limits = LIMITS) -> None:
        self._wanted = wanted
        self._room = limits.kept_bytes
        self.kept: dict[str, bytes] = {}

    def want(self, path: str) -> Want | None:
        """How much of the member to keep, if any."""
        want = self._wanted(path)
        if want is None or want.whole:
            return want
        return Want(min(want.limit, self._room)) if self._room else None

    def put(self, path: str, content: bytes, want: Want) -> None:
        """Keep the content."""
        self.kept[path] = content
        self._room -= 0 if want.whole else len(content)


class Keeper:
    """Hashes one member as it streams by, and keeps its first bytes where they are wanted."""

    def __init__(self, path: str, shelf: Shelf) -> None:
        self._path = path
        self._shelf = shelf
        self._want = shelf.want(path)
        self._digest = hashlib.sha256()
        self._bytes = bytearray()

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes; raises Refused where a member that must be whole is too big."""
        self._digest.update(chunk)
        if self._want is None:
            return
        room = self._want.limit - len(self._bytes)
        if self._want.whole and len(chunk) > room:
            raise refuse("archive_limit", self._path, f"is larger than {self._want.limit:,} bytes.")
        self._bytes += chunk[: max(room, 0)]

    def close(self, size: int, executable: bool) -> Entry:
        """The finished entry; what was kept goes onto the shelf."""
        if self._want is not None:
            self._shelf.put(self._path, bytes(self._bytes), self._want)
        return Entry(self._path, size, self._digest.hexdigest(), executable)


def text_of(raw: bytes) -> str:
    """Text to be shown: UTF-8 with replacement, no byte order mark, no NUL that a database would refuse."""
    return raw.decode("utf-8", "replace").removeprefix("\ufeff").replace("\x00", "\ufffd")
