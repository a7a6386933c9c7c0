"""OSADL's matrix in the forms in which it is published, brought into ours: a letter per cell, each sentence once.

`rows[outbound]` has one letter per inbound license, in the order of `licenses`; `reasons[outbound]` one index into
`explanations` per inbound license, where `{o}` and `{i}` stand for the two ids.
"""

import html
import json
import re
from typing import Any

from registry.errors import InvalidInput

WORDS = {"S": "Same", "Y": "Yes", "N": "No", "?": "Unknown", "C": "Check dependency"}
LETTERS = {word: letter for letter, word in WORDS.items()}
MOST_LICENSES = 1000
NOTICE = (
    "License compatibility matrix by OSADL eG (Open Source Automation Development Lab), CC-BY-4.0 "
    "(https://creativecommons.org/licenses/by/4.0/). Changed: the words of the matrix are abbreviated to one letter "
    "each, and explanations that differ in the names of the licenses only stand once."
)
SOURCE = "https://www.osadl.org/Access-to-raw-data.oss-compliance-raw-data-access.0.html"
SAYS_NOTHING = {"n.a.", ""}
ABOUT_ITSELF = {"timeformat", "timestamp"}
ID = re.compile(r"[A-Za-z0-9.+-]+(?: WITH [A-Za-z0-9.-]+)?")

Cells = dict[str, dict[str, tuple[str, str]]]


def read(document: Any) -> dict[str, Any]:
    """Our form of `matrixseqexpl.json` (with explanations) or `matrix.json` (without), or of our own file.

    Raises InvalidInput for anything else: a cell that is missing, or says something unheard of, included.
    """
    if not isinstance(document, dict) or not isinstance(document.get("timestamp"), str):
        raise InvalidInput("That is no matrix of OSADL: it says no timestamp.")
    if "rows" in document:
        return _checked(document)
    cells = _listed(document["licenses"]) if isinstance(document.get("licenses"), list) else _mapped(document)
    return _checked(_ours(cells, document["timestamp"]))


def _listed(rows: list[Any]) -> Cells:
    try:
        return {
            row["name"]: {
                cell["name"]: (cell["compatibility"], str(cell.get("explanation") or ""))
                for cell in row["compatibilities"]
            }
            for row in rows
        }
    except (TypeError, KeyError, AttributeError) as problem:
        raise InvalidInput(f"That is no matrix of OSADL: {problem!r} in a row.") from None


def _mapped(document: dict[str, Any]) -> Cells:
    rows = {key: row for key, row in document.items() if key not in ABOUT_ITSELF}
    if not all(isinstance(row, dict) for row in rows.values()):
        raise InvalidInput("That is no matrix of OSADL: a row is no object.")
    return {outbound: {inbound: (word, "") for inbound, word in row.items()} for outbound, row in rows.items()}


def _ours(cells: Cells, timestamp: str) -> dict[str, Any]:
    ids = sorted(cells, key=str.lower)
    if not 0 < len(ids) <= MOST_LICENSES:
        raise InvalidInput(f"A matrix has 1 to {MOST_LICENSES} licenses; this one has {len(ids)}.")
    explanations: dict[str, int] = {"": 0}
    rows, reasons = {}, {}
    for outbound in ids:
        row = [cells[outbound].get(inbound, ("", "")) for inbound in ids]
        rows[outbound] = "".join(LETTERS.get(word, "!") if isinstance(word, str) else "!" for word, _ in row)
        forms = [_form(text, outbound, inbound) for inbound, (_, text) in zip(ids, row, strict=True)]
        reasons[outbound] = [explanations.setdefault(form, len(explanations)) for form in forms]
    return {
        "notice": NOTICE,
        "source": SOURCE,
        "timestamp": timestamp,
        "reading": __doc__.split("\n\n")[1].replace("\n", " ").strip(),
        "words": WORDS,
        "licenses": ids,
        "rows": rows,
        "explanations": list(explanations),
        "reasons": reasons,
    }


def _form(text: str, outbound: str, inbound: str) -> str:
    """The sentence with both ids replaced by where they stand, whole ids only."""
    text = " ".join(html.unescape(text).split())
    if text in SAYS_NOTHING:
        return ""
    names = {outbound: "{o}", inbound: "{i}"}
    text = text.replace("{", "(").replace("}", ")")
    return ID.sub(lambda found: _renamed(found[0], names), text)


def _renamed(word: str, names: dict[str, str]) -> str:
    """The word, or what stands for it; a full stop behind it is none of its letters."""
    bare = word.rstrip(".")
    return names[bare] + word[len(bare) :] if bare in names else word


def _checked(matrix: dict[str, Any]) -> dict[str, Any]:
    ids, rows, texts = matrix.get("licenses"), matrix.get("rows"), matrix.get("explanations", [""])
    if not isinstance(ids, list) or not isinstance(rows, dict) or not isinstance(texts, list) or set(ids) != set(rows):
        raise InvalidInput("A matrix has one row for each of its licenses.")
    for outbound, row in rows.items():
        if not isinstance(row, str) or len(row) != len(ids) or not set(row) <= WORDS.keys():
            raise InvalidInput(f"The row of {outbound} lacks cells, or says what no matrix of OSADL says.")
        said = matrix.get("reasons", {}).get(outbound, [0] * len(ids))
        if len(said) != len(ids) or not all(isinstance(one, int) and 0 <= one < len(texts) for one in said):
            raise InvalidInput(f"The reasons in the row of {outbound} do not fit its cells.")
    return matrix


def write(matrix: dict[str, Any]) -> str:
    """The matrix as a file, a line per row."""
    flat = {key: value for key, value in matrix.items() if key not in ("rows", "reasons")}
    head = json.dumps(flat, indent=1, ensure_ascii=False).removesuffix("\n}")
    parts = [
        f' "{name}": {{\n'
        + ",\n".join(f"  {json.dumps(k)}: {json.dumps(v)}" for k, v in matrix[name].items())
        + "\n }"
        for name in ("rows", "reasons")
    ]
    return head + ",\n" + ",\n".join(parts) + "\n}\n"
