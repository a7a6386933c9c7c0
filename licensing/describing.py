"""What this portal can say of a license or an expression: facts, policy, what gets along with it."""

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from licensing import compatibility, obligations, spdx, wording
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


def describe(text: str, other: str = "") -> dict[str, Any]:
    """The facts of an SPDX id, an expression or a phrase that people write; with `other`, how the two get along.

    A phrase that names a family and no member (“BSD”) gets what holds for every candidate, and names them. Raises
    NotFound naming the nearest ids.
    """
    policy = Policy.load()
    listed, (tree, candidates) = spdx.facts(text.strip()), _meant(text)
    facts = _facts_of_all([_facts_of_one(leaf) for leaf in candidates]) if candidates else _facts(tree, policy)
    status = policy.judge_candidates(map(str, candidates)) if candidates else policy.judge(tree)
    if listed:
        own = ("deprecated", "url", "osi_approved", "fsf_libre")
        facts |= {"name": listed.id, "full_name": listed.name, "successor": listed.successor or None}
        facts |= {name: getattr(listed, name) for name in own}
    else:
        facts["name"] = " ".join(text.split()) if candidates else str(tree)
    facts |= {"status": status.status, "candidates": [str(leaf) for leaf in candidates]}
    return {**facts, "pair": _pair(tree, candidates, other) if other else None}


def _meant(text: str) -> tuple[Expression, list[License]]:
    """The expression, or several that the phrase may mean (then the first of them, too)."""
    try:
        tree, candidates = spdx.parse(text), []
    except InvalidInput as problem:
        reading = _read(text)
        if reading.expression is None and not reading.candidates:
            raise _unknown(text, reading, problem) from None
        candidates = [leaf for one in reading.candidates if isinstance(leaf := spdx.parse(one), License)]
        tree = reading.expression or candidates[0]
    if isinstance(tree, License) and spdx.facts(tree.id) is None:
        raise _unknown(text, wording.NOTHING, None)
    return tree, candidates


def _read(text: str) -> wording.Reading:
    if text.strip().startswith("License ::"):
        return wording.read_classifiers([text.strip()])
    return wording.read(text)


def _unknown(text: str, reading: wording.Reading, problem: InvalidInput | None) -> NotFound:
    near = spdx.nearest(text)
    hint = f" Perhaps you mean {' or '.join(near)}." if near else ""
    sentence = f"SPDX lists no license “{text[:80]}”.{hint}"
    if reading.file:
        sentence = f"“{text[:80]}” names no license: it points at the file {reading.file[:80]} of a package."
    if reading.proprietary:
        sentence = f"“{text[:80]}” is no license: all rights are reserved."
    return NotFound(sentence, details={"nearest": near, "expression": [problem.message] if problem else []})


def _pair(tree: Expression, candidates: list[License], other: str) -> dict[str, Any]:
    """Both directions between the two, with the matrix's own explanation; of several candidates the worst answer."""
    second, more = _meant(other)
    ours: list[Expression] = [*candidates] or [tree]
    theirs: list[Expression] = [*more] or [second]
    into = [compatibility.between(outbound, inbound) for outbound in theirs for inbound in ours]
    taking = [compatibility.between(outbound, inbound) for outbound in ours for inbound in theirs]
    return {
        "with": " ".join(other.split()) if more else str(second),
        "goes_into_it": asdict(compatibility.worst(into)),
        "takes_it_in": asdict(compatibility.worst(taking)),
    }


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
    asked = obligations.of(known) if known else obligations.Obligations()
    return {
        "name": str(leaf),
        "full_name": known.name if known else leaf.id,
        "category": category_of(leaf),
        "compatible_with": list(pair.compatible_with),
        "incompatible_with": list(pair.incompatible_with),
        "may_take_in": list(pair.may_take_in),
        "may_not_take_in": list(pair.may_not_take_in),
        "to_be_checked": list(pair.to_be_checked),
        "compatibility_source": compatibility.source() if pair.known else None,
        "obligations": list(asked.tags),
        "obligations_explained": asked.sentences,
        "obligations_source": asked.source or None,
        "requires_attribution": known.requires_attribution if known else None,
        "allows_commercial": known.allows_commercial if known else None,
        "url": known.url if known else None,
        "osi_approved": known.osi_approved if known else False,
        "fsf_libre": known.fsf_libre if known else None,
        "deprecated": known.deprecated if known else False,
        "successor": (known.successor or None) if known else None,
    }


def _facts_of_all(parts: list[dict[str, Any]]) -> dict[str, Any]:
    """Licenses that bind at once: what every one of them allows, and what any of them asks for."""
    known = all(part["compatibility_source"] for part in parts)
    return {
        "name": " AND ".join(part["name"] for part in parts),
        "full_name": " and ".join(part["full_name"] for part in parts),
        "category": min((part["category"] for part in parts), key=STRICTEST.index),
        "compatible_with": _shared(parts) if known else [],
        "incompatible_with": _joined(parts, "incompatible_with"),
        "may_take_in": sorted(set.intersection(*(set(part["may_take_in"]) for part in parts)), key=str.lower),
        "may_not_take_in": _joined(parts, "may_not_take_in"),
        "to_be_checked": _joined(parts, "to_be_checked"),
        "compatibility_source": compatibility.source() if known else None,
        "obligations": list(dict.fromkeys(tag for part in parts for tag in part["obligations"])),
        "obligations_explained": list(dict.fromkeys(said for part in parts for said in part["obligations_explained"])),
        "obligations_source": _sources(part["obligations_source"] for part in parts),
        "requires_attribution": _any(part["requires_attribution"] for part in parts),
        "allows_commercial": _every(part["allows_commercial"] for part in parts),
        "url": None,
        "osi_approved": all(part["osi_approved"] for part in parts),
        "fsf_libre": _every(part["fsf_libre"] for part in parts),
        "deprecated": any(part["deprecated"] for part in parts),
        "successor": None,
    }


def _joined(parts: list[dict[str, Any]], name: str) -> list[str]:
    return sorted({one for part in parts for one in part[name]}, key=str.lower)


def _sources(named: Iterable[str | None]) -> str | None:
    """Everybody who says so; nobody where one part has nobody."""
    said = list(named)
    return None if None in said else "; ".join(dict.fromkeys(filter(None, said)))


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
