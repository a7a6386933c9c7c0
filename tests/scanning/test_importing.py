"""Importing advisories: streamed, idempotent, undeterred by the malformed."""

import io
import json
import zipfile
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from registry.errors import InvalidInput
from scanning import advisories, osv_files
from scanning.models import Advisory, AffectedPackage
from tests.scanning.conftest import SAMPLES, load, osv, sample

pytestmark = pytest.mark.django_db


def zipped(path: Path, **members: bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(f"{name}.json", content)
    return path


def test_a_folder_of_real_advisories_comes_in():
    tally = advisories.import_from(SAMPLES)
    assert (tally.added, tally.malformed) == (7, [])
    lodash = Advisory.objects.get(osv_id="GHSA-35jh-r3h4-6jhm")
    assert (lodash.severity, lodash.cvss) == ("high", 7.2)
    assert "CVE-2021-23337" in lodash.aliases
    assert lodash.raw == sample("GHSA-35jh-r3h4-6jhm")
    assert lodash.url == "https://github.com/advisories/GHSA-35jh-r3h4-6jhm"


def test_importing_again_changes_nothing(samples):
    before = list(Advisory.objects.values_list("pk", "digest", "imported_at").order_by("pk"))
    again = advisories.import_from(SAMPLES)
    assert (again.added, again.updated, again.unchanged) == (0, 0, 7)
    assert list(Advisory.objects.values_list("pk", "digest", "imported_at").order_by("pk")) == before


def test_a_newer_document_replaces_what_was_known():
    load(osv(name="left-pad"))
    tally = load(osv(name="right-pad", modified="2026-02-01T00:00:00Z"))
    assert (tally.added, tally.updated) == (0, 1)
    assert list(AffectedPackage.objects.values_list("name", flat=True)) == ["right-pad"]


def test_an_older_document_does_not():
    load(osv(summary="new"))
    tally = load(osv(summary="old", modified="2020-01-01T00:00:00Z"))
    assert (tally.updated, tally.stale) == (0, 1)
    assert Advisory.objects.get().summary == "new"


def test_two_documents_of_one_advisory_and_moment_are_parts_of_it():
    load(osv(ecosystem="npm"))
    load(osv(ecosystem="Maven", name="org.example:left-pad"))
    assert set(AffectedPackage.objects.values_list("ecosystem", flat=True)) == {"npm", "maven"}


def test_of_two_in_one_file_the_later_one_counts():
    load(osv(summary="later", modified="2026-03-01T00:00:00Z"), osv(summary="earlier"))
    assert Advisory.objects.get().summary == "later"


def test_a_withdrawal_is_kept_as_such():
    load(osv())
    load(osv(modified="2026-02-01T00:00:00Z", withdrawn="2026-02-01T00:00:00Z"))
    assert not Advisory.objects.live().exists()


def test_names_are_kept_in_the_form_they_are_looked_up_by():
    load(osv(name="Flask_Login.Extra", ecosystem="PyPI"))
    assert AffectedPackage.objects.get().normalized == "flask-login-extra"


def test_advisories_about_other_ecosystems_are_counted_and_left_out():
    tally = load(osv(ecosystem="crates.io"), osv(id="GHSA-0001", ecosystem="Debian:12"))
    assert (tally.elsewhere, Advisory.objects.count()) == (2, 0)


@pytest.mark.parametrize(
    "document",
    [
        [],
        "text",
        None,
        {},
        {"id": "GHSA-1"},
        {"id": 7, "modified": "2026-01-01T00:00:00Z"},
        {"id": "../../etc", "modified": "2026-01-01T00:00:00Z"},
        osv(modified="yesterday"),
        osv(affected={"package": "left-pad"}),
        osv(name="x" * 256),
        osv(name=""),
        osv(ranges="all"),
        osv(ranges=[{"type": "SEMVER", "events": ["0"]}]),
        osv(summary="a\x00b"),
        osv(references="here"),
    ],
)
def test_a_malformed_document_is_named_and_left_out(document):
    tally = load(document, osv(id="GHSA-good"))
    assert [name for name, _ in tally.malformed] == ["0"]
    assert tally.added == 1


def test_a_zip_with_broken_members_gives_up_only_those(tmp_path: Path):
    path = zipped(tmp_path / "all.zip", good=json.dumps(osv()).encode(), broken=b"{", empty=b"")
    tally = advisories.import_from(path)
    assert tally.added == 1
    assert {name for name, _ in tally.malformed} == {"broken.json", "empty.json"}


def test_an_array_and_lines_of_documents_are_read(tmp_path: Path):
    (tmp_path / "array.json").write_text(json.dumps([osv(id="GHSA-a"), osv(id="GHSA-b")]))
    (tmp_path / "lines.jsonl").write_text("\n".join(json.dumps(osv(id=f"GHSA-{one}")) for one in "cde") + "\n{\n")
    tally = advisories.import_from(tmp_path)
    assert (tally.added, [name for name, _ in tally.malformed]) == (5, ["lines.jsonl:4"])


def test_a_file_too_large_to_hold_is_streamed(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(osv_files, "LIMIT", 4096)
    monkeypatch.setattr(osv_files, "CHUNK", 512)
    path = tmp_path / "large.json"
    path.write_text(json.dumps([osv(id=f"GHSA-{number}") for number in range(60)], indent=1))
    assert advisories.import_from(path).added == 60
    path.write_text(path.read_text()[:-500])
    assert advisories.import_from(path).malformed


def test_a_member_that_swells_beyond_the_limit_is_left_out(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(osv_files, "LIMIT", 4096)
    path = zipped(tmp_path / "bomb.zip", bomb=json.dumps(osv(details="0" * 100_000)).encode())
    assert [name for name, _ in advisories.import_from(path).malformed] == ["bomb.json"]


def test_addresses_that_are_no_web_addresses_are_not_linked():
    load(
        osv(
            references=[
                {"type": "ADVISORY", "url": "javascript:alert(1)"},
                {"type": "WEB", "url": "https://a.example"},
            ]
        )
    )
    assert Advisory.objects.get().url in ("https://a.example", "https://github.com/advisories/GHSA-0000")


def test_the_python_database_has_no_summaries_so_the_details_speak(samples):
    assert Advisory.objects.get(osv_id="PYSEC-2021-66").summary.startswith("This affects the package jinja2")


def test_a_batch_is_a_handful_of_queries(django_assert_max_num_queries):
    documents = [osv(id=f"GHSA-{number}") for number in range(50)]
    with django_assert_max_num_queries(14):
        load(*documents)


def test_the_command_reports_what_it_did(tmp_path: Path):
    (tmp_path / "bad.json").write_text("{")
    (tmp_path / "good.json").write_text(json.dumps(osv()))
    out = io.StringIO()
    call_command("advisories", "import", str(tmp_path), stdout=out)
    assert "1 added, 0 updated" in out.getvalue()
    assert "left out bad.json: It is no JSON" in out.getvalue()


def test_the_command_refuses_a_path_that_is_not_there(tmp_path: Path):
    with pytest.raises(CommandError, match="There is no file or folder"):
        call_command("advisories", "import", str(tmp_path / "nowhere.zip"), stdout=io.StringIO())
    with pytest.raises(InvalidInput):
        advisories.import_from(tmp_path / "nowhere.zip")


def test_the_command_can_insist(tmp_path: Path):
    (tmp_path / "bad.json").write_text("{")
    with pytest.raises(CommandError, match="1 documents are malformed"):
        call_command("advisories", "import", str(tmp_path), "--strict", stdout=io.StringIO())
