"""What webhooks may ask for, by the names that stand in messages."""

from collections.abc import Mapping

from django.utils.translation import gettext_lazy as _

EVENTS: Mapping[str, object] = {
    "release.published": _("A version was published; its checks run now."),
    "release.submitted": _("A third-party version was submitted for review."),
    "release.synced": _("A version was pulled from an upstream."),
    "release.approved": _("A version was approved, or came back from quarantine."),
    "release.rejected": _("A version was rejected."),
    "release.quarantined": _("An approved version was withdrawn."),
    "release.flagged": _("An approved version breaks a policy that lets it stay."),
    "release.unlisted": _("A version was unlisted."),
    "release.restored": _("An unlisted version was restored."),
    "release.purged": _("The file of an unlisted version was removed."),
    "license_key.created": _("A licence key was created."),
    "license_key.changed": _("A licence key was changed."),
    "license_key.suspended": _("A licence key was suspended."),
    "license_key.resumed": _("A suspended licence key works again."),
    "license_key.expired": _("A licence key has expired."),
    "license_key.first_used": _("A licence key was used for the first time."),
    "license_key.deleted": _("A licence key was deleted."),
}
TEST = "webhook.test"  # what the button sends, to one webhook, whatever it asks for
