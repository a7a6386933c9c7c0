from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("registry", "0010_metadata_files_and_index_documents"),
    ]

    operations = [
        migrations.AddField(
            model_name="document",
            name="notice",
            field=models.CharField(
                blank=True, help_text="What clients tell their users beside it; ASCII", max_length=400
            ),
        ),
    ]
