"""What the licenses of packages in use mean for the work that takes them in (settings.REGISTRY_ADVICE)."""

from collections import defaultdict
from collections.abc import Sequence

from accounts.actors import Actor
from licensing import clashing, reference, wording
from licensing.clashing import Held, Line, Reached
from registry import ecosystems
from registry.advising import Clash, LicenseAdvice, Part


def on_licenses(license: str, parts: Sequence[Part], actor: Actor) -> LicenseAdvice:
    """Parts of any ecosystem; what is not held here, or what the actor may not see, is unknown."""
    reference.catch_up()
    reading = wording.read(license)
    named = str(reading.expression or license)
    licenses = _licenses(parts, actor)
    # One line for each part, by its purl: names alone may be alike between ecosystems.
    reached = ((Reached(part.purl, part.version), licenses.get(part, "")) for part in parts)
    found = clashing.judge(named, reached)
    return LicenseAdvice(
        license=named,
        source=found.source,
        is_readable=bool(reading.expression or reading.candidates or reading.proprietary),
        fine=found.fine,
        unknown=len(found.unknown),
        clashes=tuple(_clash(line) for line in (*found.clashing, *found.to_look_at)),
    )


def _licenses(parts: Sequence[Part], actor: Actor) -> dict[Part, str]:
    keyed: dict[str, dict[Part, Held]] = defaultdict(dict)
    for part in parts:
        keyed[part.ecosystem][part] = (ecosystems.get(part.ecosystem).normalize_name(part.name), part.version)
    found: dict[Part, str] = {}
    for slug, keys in keyed.items():
        held = clashing.licenses_of(slug, set(keys.values()), actor)
        found |= {part: held[key] for part, key in keys.items() if key in held}
    return found


def _clash(line: Line) -> Clash:
    return Clash(line.reached.name, line.license, line.answer.word, line.answer.explanation)
