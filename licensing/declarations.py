"""What a release says of its license and what its files hold, brought together."""

from dataclasses import dataclass, field
from pathlib import PurePosixPath

from licensing import expressions, recognizing, spdx, wording
from licensing.expressions import And, Expression
from licensing.wording import Reading
from registry.errors import InvalidInput
from registry.models import Release, ReleaseManifest


@dataclass(frozen=True, slots=True)
class Declaration:
    """The declared text and its reading, the texts found by file, and the expression that follows from both.

    `classified` is what Python's classifiers say where that is something else.
    """

    text: str = ""
    reading: Reading = wording.NOTHING
    files: dict[str, list[str]] = field(default_factory=dict)
    expression: Expression | None = None
    classified: Expression | None = None

    @property
    def detected(self) -> list[str]:
        """Every license whose text stands in a file, once, in the order of the files."""
        return list(dict.fromkeys(license_id for found in self.files.values() for license_id in found))

    @property
    def undeclared(self) -> list[str]:
        """Licenses found in the files that the declaration does not name."""
        if self.expression is None and not self.reading.candidates:
            return []
        leaves = expressions.leaves(self.expression) if self.expression else ()
        named = {_family(name) for name in (*(leaf.id for leaf in leaves), *self.reading.candidates)}
        return [license_id for license_id in self.detected if _family(license_id) not in named]

    @property
    def contradicts(self) -> bool:
        """Whether the files hold known texts, and none of them is a declared one."""
        return bool(self.detected) and self.undeclared == self.detected


def gather(release: Release) -> Declaration:
    """Read the manifest's declaration (the client's word only where there is no manifest) and the license files."""
    manifest = ReleaseManifest.objects.filter(release=release).first()
    text = (manifest.license_declared if manifest else "").strip() or release.license
    files = recognizing.recognize_all(manifest.license_texts) if manifest else {}
    reading = wording.read(text)
    if not reading.says_something and manifest:
        reading = _from_long_text(text) or wording.read_classifiers(manifest.license_classifiers)
    classified = wording.read_classifiers(manifest.license_classifiers).expression if manifest else None
    differs = classified is not None and reading.expression is not None and not _share(classified, reading.expression)
    return Declaration(text, reading, files, _expression(reading, files), classified if differs else None)


def _share(one: Expression, other: Expression) -> bool:
    """Whether both name a license of the same family: classifiers know no finer words, and no AND or OR."""
    families = [{_family(leaf.id) for leaf in expressions.leaves(tree)} for tree in (one, other)]
    return not families[0].isdisjoint(families[1])


def _from_long_text(text: str) -> Reading | None:
    """Python's License field often carries the whole license text."""
    found = recognizing.recognize(text) if len(text) > wording.LIMIT else []
    return Reading(expression=_all_of(found)) if found else None


def _expression(reading: Reading, files: dict[str, list[str]]) -> Expression | None:
    if reading.expression is not None or reading.proprietary:
        return reading.expression
    found = list(dict.fromkeys(license_id for ids in _pointed_at(reading, files).values() for license_id in ids))
    if reading.candidates:
        families = {_family(candidate): candidate for candidate in reversed(reading.candidates)}
        found = [families[_family(license_id)] for license_id in found if _family(license_id) in families]
    return _all_of(found)


def _pointed_at(reading: Reading, files: dict[str, list[str]]) -> dict[str, list[str]]:
    """The one file that the declaration names, if it names one; else every file."""
    named = {path: ids for path, ids in files.items() if PurePosixPath(path).name == PurePosixPath(reading.file).name}
    return named if reading.file and named else files


def _all_of(license_ids: list[str]) -> Expression | None:
    """All of them bind: nobody said that one may choose."""
    known: list[Expression] = []
    for license_id in license_ids:
        try:
            known.append(spdx.parse(license_id))
        except InvalidInput:
            continue
    return expressions.combine(And, known) if known else None


def _family(license_id: str) -> str:
    """The same text serves GPL-2.0-only and GPL-2.0-or-later."""
    return license_id.lower().removesuffix("-only").removesuffix("-or-later")
