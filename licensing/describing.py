"""What this portal can say of a license or an expression: facts, policy, what gets along with it."""

from typing import Any

from licensing import compatibility, spdx, wording
from licensing.expressions import Expression, License, Or
from licensing.judging import ORDER, Policy, category_of
from registry.errors import InvalidInput, NotFound

# The category of several licenses that all bind is the one that asks for most.
STRICTEST = (
    "unknown",
    "proprietary",
    "source-available",
    "non-commercial",
    "network-copyleft",
    "strong-copyleft",
    "weak-copyleft",
    "permissive",
    "public-domain",
)


def describe(text: str) -> dict[str, Any]:
    """The facts of an SPDX id or expression; raises NotFound naming the nearest ids."""
    listed = spdx.facts(text.strip())
    try:
        tree = spdx.parse(text)
    except InvalidInput as problem:
        raise _unknown(text, problem) from None
    if isinstance(tree, License) and spdx.facts(tree.id) is None:
        raise _unknown(text, None)
    policy = Policy.load()
    facts = _facts(tree, policy)
    if listed:
        facts |= {"name": listed.id, "full_name": listed.name, "deprecated": listed.deprecated, "url": listed.url}
    return {**facts, "name": facts["name"] if listed else str(tree), "status": policy.judge(tree).status}


def _unknown(text: str, problem: InvalidInput | None) -> NotFound:
    reading = wording.read(text)
    meant = [str(reading.expression)] if reading.expression else list(reading.candidates)
    near = list(dict.fromkeys([*meant, *spdx.nearest(text)]))[:5]
    hint = f" Perhaps you mean {' or '.join(near)}." if near else ""
    sentence = f"SPDX lists no license “{text[:80]}”.{hint}"
    return NotFound(sentence, details={"nearest": near, "expression": [problem.message] if problem else []})


def _facts(tree: Expression, policy: Policy) -> dict[str, Any]:
    if isinstance(tree, License):
        return _facts_of_one(tree)
    parts = [(part, _facts(part, policy)) for part in tree.parts]
    if isinstance(tree, Or):
        return min(parts, key=lambda part: ORDER[policy.judge(part[0]).status])[1]
    return _facts_of_all([facts for _, facts in parts])


def _facts_of_one(leaf: License) -> dict[str, Any]:
    known = spdx.facts(leaf.id)
    pair = compatibility.of(str(leaf))
    return {
        "name": str(leaf),
        "full_name": known.name if known else leaf.id,
        "category": category_of(leaf),
        "compatible_with": list(pair.compatible_with),
        "incompatible_with": list(pair.incompatible_with),
        "compatibility_source": compatibility.source() if pair.known else None,
        "requires_attribution": known.requires_attribution if known else None,
        "allows_commercial": known.allows_commercial if known else None,
        "url": known.url if known else None,
        "osi_approved": known.osi_approved if known else False,
        "deprecated": known.deprecated if known else False,
    }


def _facts_of_all(parts: list[dict[str, Any]]) -> dict[str, Any]:
    """Licenses that bind at once: what every one of them allows, and what any of them asks for."""
    known = all(part["compatibility_source"] for part in parts)
    return {
        "name": " AND ".join(part["name"] for part in parts),
        "full_name": " and ".join(part["full_name"] for part in parts),
        "category": min((part["category"] for part in parts), key=STRICTEST.index),
        "compatible_with": _shared(parts) if known else [],
        "incompatible_with": sorted({one for part in parts for one in part["incompatible_with"]}, key=str.lower),
        "compatibility_source": compatibility.source() if known else None,
        "requires_attribution": _any(part["requires_attribution"] for part in parts),
        "allows_commercial": _every(part["allows_commercial"] for part in parts),
        "url": None,
        "osi_approved": all(part["osi_approved"] for part in parts),
        "deprecated": any(part["deprecated"] for part in parts),
    }


def _shared(parts: list[dict[str, Any]]) -> list[str]:
    """What may take in all of the parts: each part may at least take in itself."""
    sets = [{*part["compatible_with"], part["name"]} for part in parts]
    return sorted(set.intersection(*sets), key=str.lower)


def _any(answers: Any) -> bool | None:
    said = list(answers)
    return True if True in said else (None if None in said else False)


def _every(answers: Any) -> bool | None:
    said = list(answers)
    return False if False in said else (None if None in said else True)
