"""The page of trusted pipelines: the same for npm's packages and Python's, at every house."""

import html
import re

import pytest
from django.test import Client

from accounts.models import AuditEvent
from registry.models import TrustedPublisher
from tests import builders
from tests.protocols.payloads import CONTEXT, DEFINITION, ORG, PROJECT

pytestmark = pytest.mark.django_db
PAGE = "/profile/projects/acme/pipelines"
GITHUB = {"house": "github", "repository": "acme/core", "file": "release.yml", "permissions": ["createPackage"]}
CIRCLECI = {
    "house": "circleci", "repository": "github.com/acme/core", "organization": ORG, "circle_project": PROJECT,
    "definition": DEFINITION, "context": CONTEXT, "permissions": ["createPackage", "createStagedPackage"],
}  # fmt: skip


def signed_in(person) -> Client:
    client = Client()
    client.force_login(person)
    return client


def text(answer) -> str:
    page = answer.content.decode().replace("<wbr>", "")
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split())


@pytest.fixture
def packages(acme) -> None:
    for name, ecosystem in (("@acme-utils/core", "npm"), ("acme-tools", "pypi")):
        builders.package(acme, name, ecosystem)


def test_an_owner_trusts_pipelines_of_every_house_for_both_kinds_and_takes_it_back(
    packages, acme, alice, django_assert_max_num_queries
):
    client = signed_in(alice)
    assert "No pipeline is trusted yet" in text(client.get(PAGE))
    gitlab = GITHUB | {"house": "gitlab", "file": ".gitlab-ci.yml", "ref": "v*"}
    for package in ("npm:@acme-utils/core", "pypi:Acme_Tools"):
        for form in (GITHUB | {"environment": "release"}, gitlab, CIRCLECI):
            answer = client.post(PAGE, form | {"package": package})
            assert answer.status_code == 302, text(answer)
    trusts = TrustedPublisher.objects.order_by("created_at")
    assert [one.package.ecosystem for one in trusts] == ["npm"] * 3 + ["pypi"] * 3
    assert trusts[0].claims["environment"] == "release"
    assert (trusts[1].claims["ref"], trusts[1].claims["ref_type"], trusts[1].may_stage) == ("v*", "tag", False)
    assert trusts[2].issuer == f"https://oidc.circleci.com/org/{ORG}"
    with django_assert_max_num_queries(20):
        shown = text(client.get(PAGE))
    for words in (
        "GitHub Actions: acme/core",
        "GitLab CI/CD: acme/core",
        "CircleCI: github.com/acme/core",
        DEFINITION,
    ):
        assert shown.count(words) == 2
    assert client.post(f"{PAGE}/{trusts[0].pk}/remove").status_code == 302
    assert TrustedPublisher.objects.count() == 5
    actions = AuditEvent.objects.filter(action__startswith="trust.").values_list("action", flat=True)
    assert list(actions).count("trust.given") == 6
    assert "trust.taken_back" in actions


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"package": "acme-tools"}, "The project has no such package."),
        ({"package": "npm:left-pad"}, "The project has no such package."),
        ({"file": ""}, "GitHub Actions needs this."),
        ({"organization": ORG}, "GitHub Actions does not tell this."),
        ({"repository": "tools"}, "Name the repository"),
        ({"permissions": []}, "Tick at least one."),
        (CIRCLECI | {"environment": "release"}, "CircleCI does not tell this."),
        (CIRCLECI | {"definition": ""}, "CircleCI needs this."),
    ],
)
def test_what_a_house_does_not_tell_is_refused_and_never_passed_over(packages, alice, wrong, said):
    answer = signed_in(alice).post(PAGE, {"package": "pypi:acme-tools"} | GITHUB | wrong)
    assert (answer.status_code, said in text(answer)) == (400, True), text(answer)
    assert not TrustedPublisher.objects.exists()
