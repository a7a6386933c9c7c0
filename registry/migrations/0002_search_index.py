"""The full-text index, made by the rules of each database, and filled with what is there already."""

from django.db import migrations

from registry import search_index


def create(apps, schema_editor):
    for statement in search_index.CREATE[schema_editor.connection.vendor]:
        schema_editor.execute(statement)
    packages = apps.get_model("registry", "Package").objects.all()
    with schema_editor.connection.cursor() as cursor:
        for package in packages.iterator():
            cursor.execute(search_index.WRITE[schema_editor.connection.vendor], search_index.row(package))


def drop(apps, schema_editor):
    schema_editor.execute(search_index.DROP)


class Migration(migrations.Migration):
    dependencies = [("registry", "0001_initial")]

    operations = [migrations.RunPython(create, drop)]
