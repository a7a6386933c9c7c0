"""Newer reference data: loaded from files and addresses, used by every process, refused whole where it is broken."""

import io
import json

import pytest
from django.core.management import CommandError, call_command

from accounts.models import AuditEvent
from licensing import compatibility, listing, reference, spdx, wording
from licensing.models import ReferenceData
from registry.errors import InvalidInput
from tests.registry.foreign import foreign, says

pytestmark = pytest.mark.django_db

NEWER = {
    "licenseListVersion": "9.99",
    "licenses": [
        {"licenseId": "Brand-New-1.0", "name": "Brand New License 1.0", "isOsiApproved": True, "isFsfLibre": False}
    ],
}
WORDS = {"MIT": {"MIT": "Same", "Brand-New-1.0": "No"}, "Brand-New-1.0": {"MIT": "Yes", "Brand-New-1.0": "Same"}}
MATRIX = {"timestamp": "2099-12-31T00:00:00+0000", **WORDS}


@pytest.fixture(autouse=True)
def what_ships_afterwards():
    """The process uses again what ships."""
    yield
    ReferenceData.objects.all().delete()
    reference.catch_up()
    assert not spdx.is_known("Brand-New-1.0")


def test_a_newer_list_brings_new_ids_and_loses_none(tmp_path):
    path = tmp_path / "licenses.json"
    path.write_text(json.dumps(NEWER))
    shipped = len(listing.in_force().licenses)
    said = io.StringIO()
    call_command("licenses", "refresh", str(path), stdout=said)
    assert "licenses 9.99: 1 entries, loaded.\nIn force: OSADL license compatibility matrix" in said.getvalue()
    assert len(listing.in_force().licenses) == shipped + 1
    known = spdx.facts("brand-new-1.0")
    assert (known.id, known.osi_approved, known.fsf_libre) == ("Brand-New-1.0", True, False)
    assert str(wording.read("Brand New License, Version 1.0").expression) == "Brand-New-1.0"
    call_command("licenses", "refresh", str(path), stdout=said)
    assert "held already" in said.getvalue()
    assert AuditEvent.objects.filter(action="license_data.refreshed").count() == 1


def test_a_newer_matrix_comes_over_the_wire_and_answers(client):
    reference.keep(NEWER, "by hand")
    with foreign(lambda path: says(json.dumps(MATRIX).encode())) as server:
        call_command("licenses", "refresh", server.url(), "--allow-http", "--allow-private", stdout=io.StringIO())
    pair = client.get("/api/v1/licenses/MIT?with=Brand-New-1.0").json()["pair"]
    assert (pair["goes_into_it"]["word"], pair["takes_it_in"]["word"]) == ("yes", "no")
    assert "2099-12-31" in compatibility.source()


def test_an_address_within_is_not_visited_unless_it_is_allowed():
    with foreign(lambda path: says(b"{}")) as server:
        with pytest.raises(CommandError):
            call_command("licenses", "refresh", server.url(), stdout=io.StringIO())
        assert server.visits == 0


def test_another_process_uses_what_was_loaded_as_soon_as_it_looks(django_assert_num_queries):
    reference.keep(NEWER, "by hand")
    ReferenceData.objects.all().delete()  # as another process would
    reference.catch_up()
    assert not spdx.is_known("Brand-New-1.0")
    with django_assert_num_queries(1):
        reference.catch_up()


@pytest.mark.parametrize(
    "document",
    [
        [],
        {},
        {"licenseListVersion": "1", "licenses": []},
        {"licenseListVersion": "1", "licenses": [{"licenseId": "X"}]},
        {"licenseListVersion": "1", "licenses": [{"licenseId": "X\n", "name": "X"}]},
        {"licenseListVersion": "1", "exceptions": ["X"]},
        {"timestamp": "2099", "A": {"A": "Maybe"}},
    ],
)
def test_what_is_neither_changes_nothing(document):
    with pytest.raises(InvalidInput):
        reference.keep(document, "by hand")
    assert not ReferenceData.objects.exists()


def test_a_file_that_is_no_json_or_is_not_there_is_told(tmp_path):
    path = tmp_path / "broken.json"
    path.write_text("[" * 200_000)
    for source in (path, tmp_path / "none.json"):
        with pytest.raises(CommandError):
            call_command("licenses", "refresh", str(source), stdout=io.StringIO())


def test_the_command_shows_what_is_known_of_a_license():
    said = io.StringIO()
    call_command("licenses", "show", "Apache 2", "--with", "GPL-2.0-only", stdout=said)
    facts = json.loads(said.getvalue())
    assert (facts["name"], facts["pair"]["goes_into_it"]["word"]) == ("Apache-2.0", "no")
    with pytest.raises(CommandError, match="Perhaps you mean"):
        call_command("licenses", "show", "Apche-2.0", stdout=said)
