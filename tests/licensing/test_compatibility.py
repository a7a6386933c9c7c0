"""The matrix: what is asked is what it says, and reading it in any of its forms loses nothing."""

import json

import pytest

from licensing import compatibility, matrices, spdx
from registry.errors import InvalidInput

pytestmark = pytest.mark.once


def word(outbound: str, inbound: str) -> str:
    return compatibility.between(spdx.parse(outbound), spdx.parse(inbound)).word


@pytest.mark.parametrize(
    ("outbound", "inbound", "expected"),
    [
        ("MIT", "Apache-2.0", "yes"),
        ("GPL-2.0-only", "Apache-2.0", "no"),
        ("GPL-3.0-only", "Apache-2.0", "yes"),
        ("Apache-2.0", "GPL-3.0-only", "no"),
        ("GPL-2.0-only", "LGPL-2.1-only", "check"),
        ("MIT", "CC0-1.0", "unknown"),
        ("MIT-0", "MIT-0", "yes"),
        ("MIT", "GPL-3.0-only OR MIT", "yes"),
        ("MIT", "GPL-3.0-only OR CC0-1.0", "unknown"),
        ("MIT", "GPL-3.0-only AND MIT", "no"),
        ("MIT OR GPL-3.0-only", "GPL-3.0-only", "yes"),
        ("MIT AND BSD-3-Clause", "GPL-3.0-only", "no"),
        ("MIT AND GPL-3.0-only", "GPL-3.0-only", "yes"),
        ("GPL-2.0-only WITH Classpath-exception-2.0", "MIT", "yes"),
    ],
)
def test_who_may_choose_chooses_what_fits_and_who_is_bound_by_all_is_bound(outbound: str, inbound: str, expected: str):
    assert word(outbound, inbound) == expected


def test_both_directions_of_every_license_are_the_cells_of_the_matrix():
    data = compatibility.matrix()
    for inbound in data["licenses"]:
        found = compatibility.of(inbound)
        assert all(word(outbound, inbound) == "yes" for outbound in found.compatible_with)
        assert all(word(inbound, taken) == "no" for taken in found.may_not_take_in)
        sizes = (found.may_take_in, found.may_not_take_in, found.to_be_checked)
        assert sum(map(len, sizes)) + data["rows"][inbound].count("?") == len(data["licenses"]) - 1


def test_every_answer_of_the_matrix_has_its_explanation():
    data = compatibility.matrix()
    for outbound in data["licenses"]:
        for inbound in data["licenses"]:
            text = compatibility.of_pair(outbound, inbound).explanation
            assert text
            assert "{" not in text


def test_the_forms_in_which_the_matrix_is_published_say_the_same():
    words = {"A": {"A": "Same", "B-1.0": "No"}, "B-1.0": {"A": "Yes", "B-1.0": "Same"}}
    plain = matrices.read({"timestamp": "2025-01-01T00:00:00+0000", "timeformat": "%Y", **words})
    why = "It is so that A goes into B-1.0."
    rows = [
        {
            "name": outbound,
            "compatibilities": [
                {"name": inbound, "compatibility": said, "explanation": why if said == "Yes" else "n.a."}
                for inbound, said in row.items()
            ],
        }
        for outbound, row in words.items()
    ]
    told = matrices.read({"timestamp": "2025-01-01T00:00:00+0000", "licenses": rows})
    assert (
        (plain["licenses"], plain["rows"])
        == (told["licenses"], told["rows"])
        == (["A", "B-1.0"], {"A": "SN", "B-1.0": "YS"})
    )
    assert told["explanations"] == ["", "It is so that {i} goes into {o}."]
    assert matrices.read(json.loads(matrices.write(told))) == told


@pytest.mark.parametrize(
    "document",
    [
        [],
        {},
        {"timestamp": "2025"},
        {"timestamp": "2025", "A": "Yes"},
        {"timestamp": "2025", "A": {"A": "Perhaps"}},
        {"timestamp": "2025", "A": {"A": ["Yes"]}},
        {"timestamp": "2025", "A": {"A": "Yes"}, "B": {"A": "Yes"}},
        {"timestamp": "2025", "licenses": [{"name": "A"}]},
        {"timestamp": "2025", "licenses": ["A"], "rows": {"A": "YY"}},
        {"timestamp": "2025", "licenses": ["A"], "rows": {"A": "Y"}, "reasons": {"A": [1]}, "explanations": [""]},
    ],
)
def test_what_is_no_matrix_is_refused(document: object):
    with pytest.raises(InvalidInput):
        matrices.read(document)
