"""The policy that a new installation starts with; every line can be changed in the admin."""

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

CATEGORIES = [
    ("public-domain", "approved", "Asks for nothing."),
    ("permissive", "approved", "May be used anywhere; keep the notice."),
    ("weak-copyleft", "approved", "May be linked; changes to the library itself must be shared."),
    ("strong-copyleft", "review", "What is distributed with it must be shared under the same terms."),
    ("network-copyleft", "review", "Offering it over a network already obliges to share the source."),
    ("non-commercial", "review", "Forbids commercial use."),
    ("source-available", "review", "The source may be read, its use is restricted."),
    ("proprietary", "review", "Not a free license: somebody must read its terms."),
    ("unknown", "review", "Nobody knows yet what this license asks for."),
]
LICENSES = [
    ("SSPL-1.0", "denied", "Offering it as a service obliges to publish the whole service stack."),
    ("BUSL-1.1", "denied", "Forbids production use until its change date."),
]


def seed(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Write the first policy; lines that somebody set already stay."""
    policy = apps.get_model("licensing", "LicensePolicy")
    lines = [("category", *line) for line in CATEGORIES] + [("license", *line) for line in LICENSES]
    policy.objects.bulk_create(
        [policy(kind=kind, key=key, status=status, note=note) for kind, key, status, note in lines],
        ignore_conflicts=True,
    )


class Migration(migrations.Migration):
    dependencies = [("licensing", "0001_initial")]
    operations = [migrations.RunPython(seed, migrations.RunPython.noop)]
