"""SPDX expressions: the grammar, the canonical spelling, and that nothing hostile gets further than a sentence."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from licensing import expressions, spdx
from licensing.expressions import And, License, Or
from registry.errors import InvalidInput

pytestmark = pytest.mark.once


def test_or_binds_weaker_than_and_which_binds_weaker_than_with():
    tree = spdx.parse("MIT OR ISC AND GPL-2.0-only WITH Classpath-exception-2.0")
    assert tree == Or(
        (License("MIT"), And((License("ISC"), License("GPL-2.0-only", False, "Classpath-exception-2.0"))))
    )


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("mit", "MIT"),
        ("(MIT)", "MIT"),
        ("GPL-2.0", "GPL-2.0-only"),
        ("GPL-2.0+", "GPL-2.0-or-later"),
        ("LGPL-2.1-only+", "LGPL-2.1-or-later"),
        ("Apache-2.0+", "Apache-2.0+"),
        ("GPL-2.0-with-classpath-exception", "GPL-2.0-only WITH Classpath-exception-2.0"),
        ("BSD-2-Clause-FreeBSD", "BSD-2-Clause-Views"),
        ("mit or apache-2.0", "MIT OR Apache-2.0"),
        ("MIT AND (ISC OR BSD-3-Clause)", "MIT AND (ISC OR BSD-3-Clause)"),
        ("MIT OR (MIT OR ISC)", "MIT OR ISC"),
        ("LicenseRef-acme AND MIT", "LicenseRef-acme AND MIT"),
        ("  MIT\tOR\nISC ", "MIT OR ISC"),
    ],
)
def test_expressions_have_one_canonical_spelling(written: str, canonical: str):
    assert spdx.normalize(written) == canonical
    assert spdx.normalize(canonical) == canonical


@pytest.mark.parametrize(
    "written",
    [
        "",
        " ",
        "MIT OR",
        "OR MIT",
        "MIT ISC",
        "(MIT",
        "MIT)",
        "MIT WITH",
        "MIT WITH MIT",
        "MIT/ISC",
        "NOT-A-LICENSE",
        "MIT WITH (ISC)",
        "AND",
        "+",
        "MIT++",
        "()",
        "MIT\x00",
        "Apache 2.0",
        "MIT AND AND ISC",
        "ＭＩＴ",
    ],
)
def test_what_is_no_expression_is_refused_with_a_sentence(written: str):
    with pytest.raises(InvalidInput) as refusal:
        spdx.parse(written)
    assert refusal.value.message


def test_an_unknown_id_names_its_nearest_neighbours():
    with pytest.raises(InvalidInput) as refusal:
        spdx.parse("Apche-2.0")
    assert "Apache-2.0" in refusal.value.details["license"]


@pytest.mark.parametrize("hostile", ["(" * 3000, "(" * 1500 + "MIT" + ")" * 1500, "MIT OR " * 5000 + "MIT"])
def test_hostile_expressions_are_refused_at_once(hostile: str):
    with pytest.raises(InvalidInput):
        expressions.parse(hostile)


def test_a_long_but_honest_expression_is_read():
    tree = spdx.parse(" OR ".join(["MIT", "ISC", "Apache-2.0"] * 100))
    assert str(tree) == "MIT OR ISC OR Apache-2.0"


@given(st.text(alphabet="MITSCOR AND()+WHITH-2.0/é\x00", max_size=60))
def test_no_text_breaks_the_parser(text: str):
    try:
        tree = spdx.parse(text)
    except InvalidInput:
        return
    assert spdx.parse(str(tree)) == tree
