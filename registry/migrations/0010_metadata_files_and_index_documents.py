from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("registry", "0009_products"),
    ]

    operations = [
        migrations.AddField(
            model_name="artifact",
            name="metadata_sha256",
            field=models.CharField(blank=True, help_text="Of the metadata file inside (PEP 658)", max_length=64),
        ),
        migrations.AddField(
            model_name="artifactcontents",
            name="metadata",
            field=models.BinaryField(default=bytes, help_text="The metadata file inside, byte for byte (PEP 658)"),
        ),
        migrations.AlterField(
            model_name="document",
            name="kind",
            field=models.CharField(help_text="detail, packument, simple-json, …", max_length=32),
        ),
    ]
