"""Real outputs of four scanners mean what they mean, and what is damaged is refused or loses nothing but detail."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from scanning.scanners import grype, guarddog, osv_scanner, trivy
from scanning.scanners.base import Flaw, Unavailable
from tests.scanning.toolbox import RIGHT

pytestmark = pytest.mark.once
SAMPLES = Path(__file__).resolve().parent.parent / "samples" / "scanners"
EXPECTED: dict[str, Any] = json.loads((SAMPLES / "EXPECTED.json").read_text())
OTHERS: tuple[Any, ...] = (None, True, 7, "\x00 word", [], {}, [1], {"a": []})
PARSERS: dict[str, Callable[[bytes], list[Flaw]]] = {
    "trivy": trivy.parse,
    "grype": grype.parse,
    "osv-scanner": osv_scanner.parse,
    "guarddog": guarddog.parse,
}


def rows(found: list[Flaw]) -> list[list[str]]:
    return [
        [one.kind, one.identifier, one.ecosystem, one.package, one.version, one.severity, one.fixed_in]
        for one in found
    ]


@pytest.mark.parametrize("file", EXPECTED)
def test_a_real_report_means_what_it_says(file: str):
    parse, raw, expected = PARSERS[file.split("/")[0]], (SAMPLES / file).read_bytes(), EXPECTED[file]
    if isinstance(expected, str):
        with pytest.raises(Unavailable) as refusal:
            parse(raw)
        assert str(refusal.value) == expected
    else:
        assert rows(parse(raw)) == expected


def test_every_sample_is_expected():
    assert {str(path.relative_to(SAMPLES)) for path in SAMPLES.glob("*/*.json")} == set(EXPECTED)


@pytest.mark.parametrize("file", EXPECTED)
def test_no_report_of_one_tool_is_taken_for_anothers(file: str):
    """Save the text `null`, with which old versions of Trivy said that nothing was found."""
    raw = (SAMPLES / file).read_bytes()
    for tool, parse in PARSERS.items():
        if tool != file.split("/")[0] and raw.strip() != b"null":
            with pytest.raises(Unavailable):
                parse(raw)


@pytest.mark.parametrize("tool", PARSERS)
def test_damage_is_refused_or_costs_nothing_but_detail(tool: str):
    """Each value of a report, one after the other, is replaced by one of another type.

    What is emptied looks like a report of less, and is none of the parser's business.
    """
    report, parse = RIGHT[tool], PARSERS[tool]
    whole = len(parse(json.dumps(report).encode()))
    tried = 0
    for path in list(paths(report)):
        for other in OTHERS:
            tried += 1
            try:
                found = parse(json.dumps(replaced(report, path, other)).encode())
            except Unavailable:
                continue
            is_emptied = other in (None, [], {}, {"a": []})
            assert is_emptied or len(found) == whole, (path, other)
            assert all("\x00" not in text for row in rows(found) for text in row)
    assert tried > 60


def paths(value: Any, at: tuple[Any, ...] = ()) -> Any:
    """The way to each value inside."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in inside:
        yield (*at, key)
        yield from paths(one, (*at, key))


def replaced(value: Any, path: tuple[Any, ...], other: Any) -> Any:
    copy = json.loads(json.dumps(value))
    place = copy
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = other
    return copy


def test_the_lines_around_a_secret_are_not_kept():
    raw = (SAMPLES / "trivy" / "secrets.json").read_bytes()
    assert b"AWS_ACCESS_KEY_ID=" in raw
    assert not any("=" in text for flaw in trivy.parse(raw) for text in (flaw.summary, flaw.identifier))
    assert trivy.parse(raw)[0].summary == "AWS Access Key ID in deploy.sh, line 3"
