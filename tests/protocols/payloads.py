"""What the houses document that the ID tokens of their runs say, with names of acme's in it."""

import time
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

ORG = "f0a10872-21a3-4373-940a-06233d826661"
PROJECT = "ab70c257-7c86-45e2-b988-86003f49734d"
DEFINITION = "70b80fd1-b928-4fbf-817d-75ab416ccc87"
CONTEXT = "a74579f1-2e7d-451e-b009-5c082ad2729e"
CIRCLE = "oidc.circleci.com/"


def moments() -> dict[str, int]:
    """Now, and an hour from now."""
    now = int(time.time())
    return {"iat": now, "nbf": now - 5, "exp": now + 3600}


def github(issuer: str, audience: str) -> dict[str, Any]:
    """GitHub Actions: a job with an environment, started by a tag."""
    return {
        "jti": str(uuid4()), "sub": "repo:acme/tools:environment:release", "aud": audience, "iss": issuer,
        "ref": "refs/tags/v1.0.0", "sha": "9c0f8b6d2f4d4d2fb2b1ad4f7d3c8ab01b1d2c3e", "repository": "acme/tools",
        "repository_owner": "acme", "actor_id": "12", "repository_visibility": "private", "repository_id": "74",
        "repository_owner_id": "65", "run_id": "30433642", "run_number": "10", "run_attempt": "2",
        "runner_environment": "github-hosted", "actor": "octocat", "workflow": "release", "head_ref": "",
        "base_ref": "", "event_name": "push", "enterprise": "acme-inc", "enterprise_id": "123", "ref_type": "tag",
        "ref_protected": "true", "environment": "release", "environment_node_id": "EN_kwDOB1",
        "workflow_ref": "acme/tools/.github/workflows/release.yml@refs/tags/v1.0.0",
        "workflow_sha": "9c0f8b6d2f4d4d2fb2b1ad4f7d3c8ab01b1d2c3e",
        "job_workflow_ref": "acme/ci/.github/workflows/publish.yml@refs/heads/main",
        "job_workflow_sha": "1111111111111111111111111111111111111111", **moments(),
    }  # fmt: skip


def gitlab(issuer: str, audience: str) -> dict[str, Any]:
    """GitLab CI/CD: a job of a pipeline of a protected tag, its `id_tokens` with our audience."""
    host = urlsplit(issuer).netloc
    return {
        "namespace_id": "72", "namespace_path": "Acme", "project_id": "20", "project_path": "Acme/tools",
        "user_id": "1", "user_login": "sample-user", "user_email": "sample-user@example.com",
        "user_access_level": "developer", "user_identities": [], "pipeline_id": "574", "pipeline_source": "push",
        "job_id": "302", "ref": "v1.0.0", "ref_type": "tag", "ref_path": "refs/tags/v1.0.0",
        "ref_protected": "true", "groups_direct": ["acme"], "environment": "release",
        "environment_protected": "false", "deployment_tier": "production", "environment_action": "start",
        "runner_id": 1, "runner_environment": "gitlab-hosted", "sha": "714a629c0b401fdce83e847fc9589983fc6f46bc",
        "project_visibility": "private", "ci_config_ref_uri": f"{host}/Acme/tools//.gitlab-ci.yml@refs/tags/v1.0.0",
        "ci_config_sha": "714a629c0b401fdce83e847fc9589983fc6f46bc", "jti": str(uuid4()), "iss": issuer,
        "sub": "project_path:Acme/tools:ref_type:tag:ref:v1.0.0", "aud": audience, **moments(),
    }  # fmt: skip


def circleci(issuer: str, audience: str) -> dict[str, Any]:
    """CircleCI: a job with a context; issued by the organization's own issuer or, with --root-issuer, by the house's.

    No `jti` is documented, nor is `nbf`.
    """
    times = {name: value for name, value in moments().items() if name != "nbf"}
    own = {
        "org-id": ORG, "project-id": PROJECT, "pipeline-definition-id": DEFINITION, "context-ids": [CONTEXT],
        "pipeline-id": str(uuid4()), "workflow-id": str(uuid4()), "job-id": str(uuid4()), "ssh-rerun": False,
        "vcs-origin": "github.com/acme/tools", "vcs-ref": "refs/tags/v1.0.0",
    }  # fmt: skip
    said = {f"{CIRCLE}{name}": value for name, value in own.items()}
    user = "25cf0ed0-3b32-4c24-9b6f-ad5e1a6f7a9b"
    return {"iss": issuer, "sub": f"org/{ORG}/project/{PROJECT}/user/{user}", "aud": audience, **times, **said}


# what an owner says to trust each of these, as `npm trust` sends it
WANTED: dict[str, dict[str, Any]] = {
    "github": {"repository": "acme/tools", "workflow_ref": {"file": "release.yml"}, "environment": "release"},
    "gitlab": {"project_path": "acme/tools", "ci_config_ref_uri": {"file": ".gitlab-ci.yml"}, "ref": "v*",
               "ref_type": "tag", "ref_protected": "true"},
    "circleci": {
        f"{CIRCLE}org-id": ORG, f"{CIRCLE}project-id": PROJECT, f"{CIRCLE}vcs-origin": "github.com/acme/tools",
        f"{CIRCLE}pipeline-definition-id": DEFINITION, f"{CIRCLE}context-ids": [CONTEXT],
    },
}  # fmt: skip
MADE = {"github": github, "gitlab": gitlab, "circleci": circleci}
