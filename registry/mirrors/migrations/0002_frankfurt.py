"""The region that every installation begins with."""

from django.db import migrations


def add(apps, schema_editor):
    mirrors = apps.get_model("mirrors", "Mirror")
    mirrors.objects.get_or_create(
        region="frankfurt", defaults={"city": "Frankfurt", "country": "DE", "storage_url": "file:mirrors/frankfurt"}
    )


class Migration(migrations.Migration):
    dependencies = [("mirrors", "0001_initial")]

    operations = [migrations.RunPython(add, migrations.RunPython.noop)]
