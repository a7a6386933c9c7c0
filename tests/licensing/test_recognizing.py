"""License texts are known again, however they are wrapped, quoted or commented."""

import textwrap
from pathlib import Path

import pytest

from licensing import recognizing

pytestmark = pytest.mark.once
WHOLE = sorted(path for path in recognizing.TEXTS.glob("*.txt") if "~" not in path.stem and path.stem != "AGPL-3.0")


def text_of(stem: str) -> str:
    return (recognizing.TEXTS / f"{stem}.txt").read_text().replace(recognizing.GAP, "Acme Limited and its friends")


@pytest.mark.parametrize("path", WHOLE, ids=lambda path: path.stem)
def test_every_text_is_known_again_and_taken_for_no_other(path: Path):
    assert recognizing.recognize(f"Copyright (c) 2026 Acme\n\n{text_of(path.stem)}") == [path.stem]


@pytest.mark.parametrize("stem", ["MIT", "BSD-3-Clause", "ISC", "Apache-2.0", "GPL-2.0"])
def test_wrapping_quoting_and_comment_marks_do_not_matter(stem: str):
    words = " ".join(text_of(stem).replace('"', "“").split())
    commented = "\n".join(f" * {line}" for line in textwrap.wrap(words, 60))
    assert recognizing.recognize(f"/*\n{commented}\n */") == [stem]


def test_the_agpl_is_not_taken_for_the_gpl_it_resembles():
    agpl = text_of("GPL-3.0").replace("GNU General Public License", "GNU Affero General Public License")
    assert recognizing.recognize(agpl + text_of("AGPL-3.0")) == ["AGPL-3.0"]


def test_two_licenses_in_one_file_are_both_found():
    found = recognizing.recognize(text_of("MIT") + "\n\n---- bundled ----\n\n" + text_of("Apache-2.0"))
    assert sorted(found) == ["Apache-2.0", "MIT"]


def test_a_rider_that_takes_rights_away_is_seen():
    rider = "“Commons Clause” License Condition v1.0\nThe Software is provided to you under the License, as amended.\n"
    assert recognizing.recognize(rider + text_of("MIT")) == ["MIT", "LicenseRef-Commons-Clause"]


def test_good_not_evil_is_the_json_license_and_not_mit():
    assert recognizing.recognize(text_of("JSON")) == ["JSON"]


@pytest.mark.parametrize(
    "text", ["", "MIT", "All rights reserved. Do not copy.", "\x00" * 50, "Permission is granted."]
)
def test_what_is_no_known_text_is_not_recognised(text: str):
    assert recognizing.recognize(text) == []


def test_a_huge_file_is_read_only_so_far():
    assert recognizing.recognize(text_of("MIT") + "word " * 200_000) == ["MIT"]


@pytest.mark.timeout(10)
@pytest.mark.parametrize("unit", ["\n", " ", "#", "copyright ", "commons ", "(c)\n"])
def test_a_text_made_to_be_slow_is_not(unit: str):
    assert recognizing.recognize(unit * (recognizing.LIMIT // len(unit))) == []
