"""What every kind of upstream can do: say what it offers, find one version, and open a file.

A source knows no database. It is made from a `Site` (what an admin typed in) and a `Web` (the safe way out, with the
credential in it), and it keeps nothing in memory between two pages: where a listing stands is in the cursor alone.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from fnmatch import translate
from functools import cached_property
from typing import Any, Protocol

from registry.errors import Refused, Unavailable

Cursor = Mapping[str, Any]
START: Cursor = {}


class Nonsense(Refused):
    """The upstream answers something that cannot be what was asked for: a page for people, cut or wrong JSON."""

    code = "upstream_nonsense"


class Denied(Refused):
    """The upstream does not take the credential (401, 403): nothing else of it can be had either."""

    code = "upstream_denied"


class Lying(Refused):
    """The upstream sends something else than it said: other bytes, another length, another package."""

    code = "upstream_lies"


class Vanished(Refused):
    """The upstream listed it, and has it no more (404, 410)."""

    code = "upstream_vanished"


class Rejected(Refused):
    """The upstream does not take the question (another 4xx, or a redirect of it); `body` is how its answer begins."""

    code = "upstream_rejected"

    def __init__(self, message: str, status: int = 400, body: bytes = b"") -> None:
        super().__init__(message)
        self.status, self.body = status, body


class Failing(Unavailable):
    """The upstream has trouble of its own (5xx): worth another try."""

    code = "upstream_failing"


class Busy(Unavailable):
    """The upstream asks for patience (429, 503); `seconds` is how much, 0 where it does not say."""

    code = "upstream_busy"

    def __init__(self, message: str, seconds: float = 0) -> None:
        super().__init__(message)
        self.seconds = seconds


@dataclass(frozen=True)
class Wanted:
    """Which packages an admin wants, as globs over names: all without `include`, and never what `exclude` matches."""

    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()

    def __contains__(self, name: object) -> bool:
        """Whether the name is wanted; upper and lower case are the same."""
        text = str(name).lower()
        return bool((not self.include or self._included.match(text)) and not self._excluded.match(text))

    @property
    def plain(self) -> tuple[str, ...] | None:
        """The names themselves where every pattern is one: nothing needs to be searched then. Else None."""
        is_plain = self.include and not any(set("*?[") & set(pattern) for pattern in self.include)
        return tuple(name for name in self.include if name in self) if is_plain else None

    @cached_property
    def _included(self) -> re.Pattern[str]:
        return _any_of(self.include)

    @cached_property
    def _excluded(self) -> re.Pattern[str]:
        return _any_of(self.exclude)


def _any_of(globs: Sequence[str]) -> re.Pattern[str]:
    """One pattern for all; without globs one that matches nothing."""
    return re.compile("|".join(translate(glob.lower()) for glob in globs) or r"(?!)")


@dataclass(frozen=True)
class Site:
    """What a source must know of its upstream: where it is and what is wanted from it."""

    base_url: str
    repository: str = ""
    ecosystem: str = ""  # of repositories that hold files of one kind without saying so (Artifactory)
    wanted: Wanted = field(default_factory=Wanted)
    is_internal: Callable[[str], bool] = lambda name: False  # names that must not be asked for by name


@dataclass(frozen=True, slots=True)
class Listing:
    """One file of one version, as the upstream offers it: a claim, believed only once the bytes are here.

    `locator` is how this source finds the file again, at most 2,000 characters. `digests` are lower-case hexadecimal
    by algorithm (md5, sha1, sha256, sha512), those the upstream tells. `mark` changes whenever the file does, for
    upstreams that tell no digest (an ETag, a time). `deprecated` and `yanked` are its words, "" for neither.
    """

    ecosystem: str
    name: str
    version: str
    filename: str
    locator: str
    size: int | None = None
    digests: Mapping[str, str] = field(default_factory=dict)
    mark: str = ""
    released_at: datetime | None = None
    deprecated: str = ""
    yanked: str = ""
    signature: str = ""  # armored SSHSIG, where the upstream is a portal like this one
    requires: str = ""  # the Python versions that it is for


@dataclass(frozen=True, slots=True)
class Goods:
    """One version as an index tells it before its files are here: what an installer must know to choose it.

    `is_changed` says that its files are told with other digests than at first.
    """

    version: str
    files: tuple[Listing, ...]
    raw: Mapping[str, Any] = field(default_factory=dict)  # the part of the manifest that installers read
    license: str = ""
    runs_scripts: bool = False
    is_changed: bool = False


@dataclass(frozen=True, slots=True)
class Assortment:
    """Everything that an upstream says it has of one name, and the ETag of that answer."""

    name: str
    goods: tuple[Goods, ...]
    tags: Mapping[str, str] = field(default_factory=dict)
    etag: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """Some listings, at most about a thousand, and where to go on from.

    `cursor` is where the page after this one begins, None after the last. The last page carries `bookmark`: what to
    pass as `since` the next time, so that only what is new from now on is listed. Both are small, and are JSON.
    `troubles` are (package, sentence) pairs of what the upstream offers in a way that cannot be read.
    """

    listings: Sequence[Listing]
    cursor: Cursor | None = None
    bookmark: Cursor = field(default_factory=dict)
    troubles: Sequence[tuple[str, str]] = ()


class Stream(Protocol):
    """A body that is coming in."""

    told: Mapping[str, str]  # digests that came with the bytes, in the form that listings have

    def read(self, size: int, /) -> bytes:
        """At most `size` bytes, empty at the end; raises Unreachable or TooMuch where it breaks off or is too long."""


class Reply(Stream, Protocol):
    """An answer of status 200, its body to be read once."""

    url: str
    headers: Any  # a mapping of header names in any case


class Web(Protocol):
    """The safe way to one upstream: its credential goes to its own host alone. Raises the errors above.

    429 and 503 are `Busy` at once: whoever holds the job comes back later, nobody waits in a worker.
    """

    def opened(
        self,
        url: str,
        *,
        method: str = "GET",
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        size: int | None = None,
        seconds: float = ...,
    ) -> AbstractContextManager[Reply]:
        """Ask; `size` limits the body in bytes (default: what a page of a listing may take), `seconds` all of it."""

    def file(self, url: str, **options: Any) -> AbstractContextManager[Reply]:
        """Like `opened`, for a file: as large as an admin lets files be, and no page for people."""

    def json(self, url: str, **options: Any) -> Any:
        """The parsed answer; Nonsense where it is no JSON. Options as for `opened`."""


class Source(Protocol):
    """One kind of upstream. Made as `Kind(site, web)`; must not import another kind."""

    def pages(self, since: Cursor, cursor: Cursor) -> Iterator[Page]:
        """What is offered (and wanted: ask `site.wanted`), page by page, from `cursor` on (START: the beginning).

        `since` is the bookmark of the last listing that came to its end, START for everything. A file may come twice,
        on two pages or in two listings; one that changed since must not be left out. A caller may stop after any page
        and begin at its cursor in another process, with the same `since`.
        """

    def open(self, listing: Listing) -> AbstractContextManager[Stream]:
        """The bytes of the file, unchecked."""

    def find(self, ecosystem: str, name: str, version: str) -> Sequence[Listing]:
        """The files of one version, the best to read a manifest from first; nothing where it is not offered.

        Patterns do not count here. The caller has made sure that the name is not an internal one.
        """


class IndexSource(Protocol):
    """A source that answers an installer's question: which versions of this name are there?"""

    def open(self, listing: Listing) -> AbstractContextManager[Stream]:
        """The bytes of the file, unchecked."""

    def assortment(self, name: str, etag: str = "") -> Assortment | None:
        """All versions; None where nothing changed since the answer with that ETag. Raises Vanished for no such name.

        The caller has made sure that the name is not an internal one.
        """
