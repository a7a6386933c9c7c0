"""The full-text index once more, now with marks for filters and visibility, and words that no database folds again."""

from itertools import islice

from django.db import migrations, models

from registry import search_index


def remake(apps, schema_editor):
    connection = schema_editor.connection
    schema_editor.execute(search_index.DROP)
    for statement in search_index.CREATE[connection.vendor]:
        schema_editor.execute(statement)
    packages = apps.get_model("registry", "Package").objects.order_by("pk").iterator(chunk_size=1000)
    with connection.cursor() as cursor:
        while batch := [search_index.row(package) for package in islice(packages, 1000)]:
            cursor.executemany(search_index.WRITE[connection.vendor], batch)


class Migration(migrations.Migration):
    dependencies = [("registry", "0005_statuses_that_end_by_themselves")]

    operations = [
        migrations.RunPython(remake, migrations.RunPython.noop),
        migrations.RemoveIndex(model_name="package", name="package_by_normalized"),
        migrations.AddIndex(
            model_name="package",
            index=models.Index(fields=["normalized"], name="package_by_normalized", opclasses=["varchar_pattern_ops"]),
        ),
    ]
