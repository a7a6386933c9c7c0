import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('registry', '0006_search_marks'),
        ('upstreams', '0003_pull_pages'),
    ]

    operations = [
        migrations.AlterField(
            model_name='offer',
            name='release',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='registry.release'),
        ),
    ]
