"""What people write where an SPDX id belongs: “Apache 2.0”, “new BSD”, Python classifiers, npm's own phrases.

A phrase is reduced to its telling words (`_key`) and looked up whole: a license is never read out of a longer
sentence. A phrase that names a family and no member (“BSD”) yields the candidates, not a guess.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache

from licensing import expressions, listing, spdx
from licensing.expressions import And, Expression, License, Or
from registry.errors import InvalidInput

LIMIT = 300
SEE_FILE = re.compile(r"^see\s+(?:the\s+)?licen[cs]e(?:\s+file)?\s+(?:in|at)\s+(?P<file>\S{1,200})$", re.IGNORECASE)
LATER = re.compile(
    r"[,\s]*\(?\b(?:or|and)\s+(?:any\s+)?(?:later|newer|higher|greater|above)(?:\s+versions?)?\)?", re.IGNORECASE
)
TAIL = re.compile(r"[\s,.;-]*(?:\bcopyright\b|\(c\)|©|\bsee\s+(?:the\s+)?licen[cs]e\S*).*$", re.IGNORECASE)
ADDRESS = re.compile(r"[\s,<(/-]*\bhttps?://(?P<where>[^\s<>()]+)[>)]*$", re.IGNORECASE)
ADDRESSES = (
    (re.compile(r"^(?:www\.)?(?:opensource|spdx)\.org/licenses?/(?P<id>[^/]+?)(?:\.(?:php|html))?/?$"), "{id}"),
    (re.compile(r"^(?:www\.)?apache\.org/licenses/(?:license-2\.0\S*)?$"), "apache 2"),
    (re.compile(r"^(?:www\.)?mozilla\.org/(?:[a-z-]+/)?mpl/(?P<id>[12]\.[01])/?$"), "mpl {id}"),
    (re.compile(r"^(?:www\.)?gnu\.org/licenses/(?P<id>a?l?gpl-[123]\.[01])\S*$"), "{id}"),
    (re.compile(r"^(?:www\.)?unlicense\.org/?$"), "unlicense"),
    (re.compile(r"^(?:www\.|sam\.zoy\.org/)?wtfpl(?:\.(?:org|net))?/?\S*$"), "wtfpl"),
    (re.compile(r"^(?:[a-z0-9-]+\.)*mit-license\.org/?$"), "mit"),
    (re.compile(r"^creativecommons\.org/publicdomain/zero/1\.0/?$"), "cc 0"),
)
BRACKETS = re.compile(r"\([^()]*\)")
WORD = re.compile(r"[a-z]+|\d+(?:\.\d+)*|\+")
NOISE = frozenset(
    {"the", "a", "license", "licence", "licenses", "licenced", "licensed", "under", "version", "ver", "v", "gnu"}
    | {"open", "source", "osi", "approved", "terms", "of", "l", "standard", "lisence", "lisense", "licese", "liscense"}
)
PROPRIETARY = frozenset({"unlicensed", "proprietary", "other proprietary", "commercial", "all rights reserved"})
FAMILIES = (
    ("affero general public", "agpl"),
    ("affero gpl", "agpl"),
    ("affero", "agpl"),
    ("library or lesser general public", "lgpl"),
    ("lesser general public", "lgpl"),
    ("library general public", "lgpl"),
    ("general public", "gpl"),
    ("mozilla public", "mpl"),
    ("eclipse public", "epl"),
    ("apache software", "apache"),
    ("asf", "apache"),
    ("asl", "apache"),
    ("three", "3"),
    ("two", "2"),
    ("zero", "0"),
)
PHRASES = {
    "MIT": ("mit", "expat", "mit expat", "expat mit", "mit x 11", "x 11 mit", "mit x", "mit x consortium"),
    "Apache-2.0": ("apache 2", "al 2", "apachev 2", "apache software 2", "apache 20", "apache public 2"),
    "BSD-3-Clause": (
        "new bsd",
        "bsd new",
        "modified bsd",
        "revised bsd",
        "bsd 3",
        "3 bsd",
        "3 clause bsd",
        "bsd 3 clauses",
        "bsd clause 3",
    ),
    "BSD-2-Clause": (
        "simplified bsd",
        "bsd simplified",
        "freebsd",
        "free bsd",
        "netbsd",
        "bsd 2",
        "2 bsd",
        "2 clause bsd",
        "bsd 2 clauses",
        "bsd clause 2",
    ),
    "BSD-4-Clause": ("original bsd", "old bsd", "bsd 4", "4 clause bsd"),
    "0BSD": ("bsd 0", "0 clause bsd", "bsd 0 clause", "free public 1"),
    "ISC": ("isc iscl", "iscl"),
    "CC0-1.0": ("cc 0", "cc 0 1 universal", "cc 0 1 universal public domain dedication", "creative commons 0"),
    "Unlicense": ("unlicense", "unlicence", "un", "public domain unlicense"),
    "WTFPL": ("do what fuck you want to public", "wtfpl 2", "dwtfywpl", "dwtfyw"),
    "PSF-2.0": ("psf", "psf 2", "python software foundation", "python software foundation 2", "psfl"),
    "Zlib": ("zlib libpng", "libpng zlib"),
    "BSL-1.0": ("boost", "boost software", "boost software 1", "boost 1"),
    "MPL-2.0": ("mpl 2", "mozilla 2"),
    "MPL-1.1": ("mpl 1.1", "mozilla 1.1"),
    "MPL-1.0": ("mpl 1",),
    "ZPL-2.1": ("zope public 2.1", "zpl 2.1"),
    "OFL-1.1": ("sil font 1.1", "ofl 1.1", "sil ofl 1.1"),
    "UPL-1.0": ("universal permissive", "upl"),
    "BSD-3-Clause-Clear": ("clear bsd", "bsd clear"),
    "Beerware": ("beerware", "beer ware"),
    "CC-BY-4.0": ("cc by 4 international", "creative commons attribution 4 international"),
    "CC-BY-SA-4.0": ("cc by sa 4 international",),
    "HPND": ("historical permission notice and disclaimer",),
}
AMBIGUOUS = {
    "bsd": ("BSD-3-Clause", "BSD-2-Clause"),
    "apache": ("Apache-2.0", "Apache-1.1"),
    "gpl": ("GPL-2.0-or-later", "GPL-3.0-or-later", "GPL-2.0-only", "GPL-3.0-only"),
    "lgpl": ("LGPL-2.1-or-later", "LGPL-3.0-or-later", "LGPL-2.1-only", "LGPL-3.0-only"),
    "agpl": ("AGPL-3.0-or-later", "AGPL-3.0-only"),
    "mpl": ("MPL-2.0", "MPL-1.1"),
    "epl": ("EPL-2.0", "EPL-1.0"),
    "artistic": ("Artistic-2.0", "Artistic-1.0"),
    "python": ("PSF-2.0", "Python-2.0"),
    "zpl": ("ZPL-2.1", "ZPL-2.0"),
    "zope public": ("ZPL-2.1", "ZPL-2.0"),
    "cddl": ("CDDL-1.0", "CDDL-1.1"),
    "eupl": ("EUPL-1.2", "EUPL-1.1"),
}


@dataclass(frozen=True, slots=True)
class Reading:
    """What a declaration says: an expression, or candidates of a family, or a file, or “all rights reserved”."""

    expression: Expression | None = None
    candidates: tuple[str, ...] = ()
    file: str = ""
    proprietary: bool = False

    @property
    def says_something(self) -> bool:
        """Whether anything could be made of it."""
        return bool(self.expression or self.candidates or self.file or self.proprietary)


NOTHING = Reading()


def read(text: str) -> Reading:
    """What the declared text says; a text that is too long, or says nothing known, gives an empty reading."""
    text = " ".join(text.split()).strip("\"'`“”. ")
    if not text or len(text) > LIMIT:
        return NOTHING
    if see := SEE_FILE.match(text):
        return Reading(file=see["file"].strip("<>\"'.,"))
    try:
        return Reading(expression=spdx.parse(text))
    except InvalidInput:
        return _read_phrase(text)


def read_classifiers(classifiers: Iterable[str]) -> Reading:
    """What Python's “License :: …” classifiers say; several bind together, as nobody says that one may choose."""
    phrases = [line.rpartition("::")[2].strip() for line in classifiers if line.startswith("License ::")]
    readings = [_read_phrase(phrase) for phrase in phrases if phrase and phrase != "OSI Approved"]
    known = [reading for reading in readings if reading.says_something]
    if not known or len(known) == 1:
        return known[0] if known else NOTHING
    return _joined(And, known) or NOTHING


def _read_phrase(text: str) -> Reading:
    if address := ADDRESS.search(text):
        return _read_address(text[: address.start()], address["where"].lower())
    phrase = LATER.sub("+", TAIL.sub("", text) or text)
    whole = _look_up(phrase)
    if not whole.says_something and BRACKETS.search(phrase):
        whole = _look_up(BRACKETS.sub(" ", phrase))
    if whole.says_something:
        return whole
    for kind, separator in ((Or, r"\s+or\s+|\s*\|+\s*|/"), (And, r"\s+and\s+|\s*[,;&]\s*")):
        parts = [part for part in re.split(separator, phrase.strip("()"), flags=re.IGNORECASE) if part.strip()]
        if len(parts) > 1 and (reading := _joined(kind, [read(part) for part in parts])):
            return reading
    return NOTHING


def _read_address(before: str, where: str) -> Reading:
    """An address alone, or behind words that say the same: anything else behind an address stays unknown."""
    meant = next(
        (_look_up(form.format(**m.groupdict())) for pattern, form in ADDRESSES if (m := pattern.match(where))), NOTHING
    )
    if not before.strip():
        return meant
    said = read(before)
    return (
        said if meant.expression and meant.expression in (said.expression, *map(_tree, said.candidates)) else NOTHING
    )


def _tree(license_id: str) -> Expression:
    return spdx.parse(license_id)


def _joined(kind: type[And] | type[Or], readings: list[Reading]) -> Reading | None:
    trees = [reading.expression for reading in readings]
    known = [tree for tree in trees if tree is not None]
    return Reading(expression=expressions.combine(kind, known)) if len(known) == len(trees) else None


def _look_up(phrase: str) -> Reading:
    key, later, only = _key(phrase)
    if key in PROPRIETARY:
        return Reading(proprietary=True)
    found = _phrases().get(key, "")
    if found:
        return Reading(expression=_versioned(found, later, only))
    return Reading(candidates=AMBIGUOUS.get(key, ()))


def _versioned(license_id: str, later: bool, only: bool) -> Expression:
    tree = spdx.parse(license_id)
    if later and not only and isinstance(tree, License):
        return spdx.parse(str(replace(tree, or_later=True)))
    return tree


def _key(phrase: str) -> tuple[str, bool, bool]:
    """The telling words in order, and whether “or later” or “only” was said."""
    lowered = re.sub(r"\bm\.i\.t\b\.?", "mit", phrase.lower()[:LIMIT])
    lowered = re.sub(r"\bgnu public\b", "gpl", lowered)
    lowered = re.sub(r"(?<=\d)_(?=\d)", ".", re.sub(r"(?<=[a-z])v(?=\.?\s?\d)", " ", lowered))
    words = WORD.findall(lowered)
    later, only = "+" in words[1:] and words[words.index("+") - 1][0].isdigit(), "only" in words
    kept = [re.sub(r"(\.0)+$", "", word) for word in words if word not in NOISE and word not in ("+", "only")]
    text = f" {' '.join(kept)} "
    for long, short in FAMILIES:
        text = text.replace(f" {long} ", f" {short} ")
    return text.strip(), later, only


@cache
def _phrases() -> dict[str, str]:
    """Keys of all SPDX ids and names, deprecated ones behind current ones, and our own phrases before both."""
    table: dict[str, str] = {}
    shared: set[str] = set()
    ids = listing.in_force().licenses
    current = [key for key, listed in ids.items() if not listed.deprecated and not key.endswith("-or-later")]
    for license_id in current:
        for phrase in {_key(license_id)[0], _key(ids[license_id].name)[0]}:
            if table.setdefault(phrase, license_id) != license_id:
                shared.add(phrase)
    for phrase in shared | {""}:
        table.pop(phrase, None)
    table.update({phrase: license_id for license_id, phrases in PHRASES.items() for phrase in phrases})
    return table


def forget() -> None:
    """Read the list anew, after another one came into force."""
    _phrases.cache_clear()
