"""Publishing through the activity: what stands afterwards, what is refused, and that a refusal leaves nothing."""

from registry.models import Release
from tests.registry import invariants


def test_a_signed_tarball_stands_and_is_approved_after_its_checks(publish):
    release = publish()
    assert release.status == Release.Status.APPROVED
    invariants.hold()
