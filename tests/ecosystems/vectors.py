"""Other projects' test tables, as they lie in tests/samples/ecosystems (see SOURCE.txt there)."""

import json
from pathlib import Path
from typing import Any

SAMPLES = Path(__file__).parent.parent / "samples" / "ecosystems"


def table(name: str) -> Any:
    return json.loads((SAMPLES / name).read_text(encoding="utf-8"))


def comparisons(name: str) -> list[tuple[str, str, str]]:
    lines = (SAMPLES / name).read_text(encoding="utf-8").splitlines()
    cases = [line.split() for line in lines if line.strip() and not line.startswith(("# ", "// "))]
    return [(left, sign, right) for left, sign, right in cases]


def holds(left: Any, sign: str, right: Any) -> bool:
    return {"<": left < right, ">": left > right, "=": left == right}[sign]
