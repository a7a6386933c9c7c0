"""Where the map draws the region that every installation begins with."""

from django.db import migrations


def place(apps, schema_editor):
    mirrors = apps.get_model("mirrors", "Mirror")
    mirrors.objects.filter(region="frankfurt", latitude=None).update(latitude=50.11, longitude=8.68)


class Migration(migrations.Migration):
    dependencies = [("mirrors", "0004_regions_that_are_probed_paused_and_compared")]

    operations = [migrations.RunPython(place, migrations.RunPython.noop)]
