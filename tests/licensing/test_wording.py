"""What people write: a phrase is understood whole or not at all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from licensing import wording

pytestmark = pytest.mark.once


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("MIT License", "MIT"),
        ("The MIT License (MIT)", "MIT"),
        ("MIT/X11", "MIT"),
        ("M.I.T.", "MIT"),
        ("Apache 2.0", "Apache-2.0"),
        ("Apache License, Version 2.0", "Apache-2.0"),
        ("Apache-2", "Apache-2.0"),
        ("ASL 2.0", "Apache-2.0"),
        ("BSD 3-Clause", "BSD-3-Clause"),
        ("New BSD License", "BSD-3-Clause"),
        ("Simplified BSD", "BSD-2-Clause"),
        ("GPLv2", "GPL-2.0-only"),
        ("GPL v2 or later", "GPL-2.0-or-later"),
        ("GNU GPLv3+", "GPL-3.0-or-later"),
        ("GNU Lesser General Public License v2.1 or any later version", "LGPL-2.1-or-later"),
        ("GNU Affero General Public License v3", "AGPL-3.0-only"),
        ("MPL 2.0", "MPL-2.0"),
        ("zlib/libpng", "Zlib"),
        ("CC0", "CC0-1.0"),
        ("The Unlicense", "Unlicense"),
        ("MIT/Apache-2.0", "MIT OR Apache-2.0"),
        ("MIT or Apache 2.0", "MIT OR Apache-2.0"),
        ("MIT and BSD-3-Clause", "MIT AND BSD-3-Clause"),
        ("MIT, Copyright (c) 2013 Somebody", "MIT"),
        ("https://opensource.org/licenses/MIT", "MIT"),
        ("MIT <http://opensource.org/licenses/MIT>", "MIT"),
        ("Gnu public license v2.0", "GPL-2.0-only"),
        ("Standard 3-clause BSD", "BSD-3-Clause"),
        ("MIT Lisence", "MIT"),
        ("CC-BY 4.0 International", "CC-BY-4.0"),
    ],
)
def test_common_phrases_are_read(written: str, meant: str):
    assert str(wording.read(written).expression) == meant


@pytest.mark.parametrize(
    "written",
    [
        "",
        "MIT with a twist",
        "not MIT",
        "MIT-style",
        "free for non-commercial use",
        "see the website",
        "Public Domain",
        "MIT https://example.com/our-own-terms",
        "Custom",
        "x" * 400,
        "MIT except for evil",
        "n/a",
        "license",
        "Public License 2",
    ],
)
def test_what_says_no_license_stays_unknown(written: str):
    assert not wording.read(written).says_something


@pytest.mark.parametrize(
    ("written", "first"), [("BSD", "BSD-3-Clause"), ("GPL", "GPL-2.0-or-later"), ("MPL", "MPL-2.0")]
)
def test_a_family_without_a_member_yields_candidates_and_no_guess(written: str, first: str):
    reading = wording.read(written)
    assert reading.expression is None
    assert reading.candidates[0] == first


@pytest.mark.parametrize(
    ("written", "file"),
    [("SEE LICENSE IN LICENSE.txt", "LICENSE.txt"), ("See license in <docs/TERMS.md>", "docs/TERMS.md")],
)
def test_a_phrase_may_point_at_a_file(written: str, file: str):
    assert wording.read(written).file == file


def test_unlicensed_means_all_rights_reserved_and_not_the_unlicense():
    reading = wording.read("UNLICENSED")
    assert (reading.proprietary, reading.expression) == (True, None)


@pytest.mark.parametrize(
    ("classifiers", "meant"),
    [
        (["License :: OSI Approved :: MIT License"], "MIT"),
        (["License :: OSI Approved :: GNU General Public License v3 or later (GPLv3+)"], "GPL-3.0-or-later"),
        (["License :: OSI Approved :: Mozilla Public License 2.0 (MPL 2.0)"], "MPL-2.0"),
        (["License :: OSI Approved :: ISC License (ISCL)", "Topic :: Internet"], "ISC"),
        (["License :: OSI Approved", "License :: OSI Approved :: Python Software Foundation License"], "PSF-2.0"),
        (["License :: OSI Approved :: MIT License", "License :: OSI Approved :: ISC License (ISCL)"], "MIT AND ISC"),
    ],
)
def test_python_classifiers_are_read(classifiers: list[str], meant: str):
    assert str(wording.read_classifiers(classifiers).expression) == meant


def test_a_classifier_of_a_family_is_a_candidate():
    assert wording.read_classifiers(["License :: OSI Approved :: BSD License"]).candidates
    assert wording.read_classifiers(["License :: Other/Proprietary License"]).proprietary
    assert not wording.read_classifiers(["Topic :: MIT License"]).says_something


@given(st.text(max_size=120))
def test_no_text_breaks_the_reader(text: str):
    wording.read(text)
    wording.read_classifiers([f"License :: {text}"])
