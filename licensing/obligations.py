"""What a license asks for in return: as choosealicense.com sums it up, else what its category tells of it."""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from licensing.spdx import Facts

FILE = Path(__file__).resolve().parent / "data" / "choosealicense.json"
BY_CATEGORY = {
    "public-domain": (),
    "permissive": ("include-copyright",),
    "weak-copyleft": ("include-copyright", "disclose-source", "same-license--file"),
    "strong-copyleft": ("include-copyright", "disclose-source", "same-license"),
    "network-copyleft": ("include-copyright", "disclose-source", "same-license", "network-use-disclose"),
}


@dataclass(frozen=True, slots=True)
class Obligations:
    """What must be done, by tag, and who says so; `source` is "" where nobody does, which is no “nothing”."""

    tags: tuple[str, ...] = ()
    source: str = ""

    @property
    def sentences(self) -> list[str]:
        """What each tag means."""
        return [_summaries()["words"]["conditions"][tag] for tag in self.tags]


def of(facts: Facts) -> Obligations:
    """The obligations under a license of the SPDX list."""
    data = _summaries()
    summary = data["licenses"].get(facts.id) or data["licenses"].get(_family(facts.id))
    if summary:
        return Obligations(tuple(summary["conditions"]), f"choosealicense.com as of {data['date']}, CC-BY-3.0")
    if facts.category not in BY_CATEGORY:
        return Obligations()
    tags = BY_CATEGORY[facts.category] if facts.requires_attribution else ()
    return Obligations(tags, "derived from its category")


@cache
def _summaries() -> dict[str, Any]:
    data: dict[str, Any] = json.loads(FILE.read_text("utf-8"))
    return data


def _family(license_id: str) -> str:
    """The same text serves GPL-2.0-only and GPL-2.0-or-later."""
    return license_id.removesuffix("-only").removesuffix("-or-later").removesuffix("+")
