from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('upstreams', '0002_offers_and_pulls'),
    ]

    operations = [
        migrations.AddField(
            model_name='pull',
            name='pages',
            field=models.PositiveIntegerField(default=0, help_text='Written so far; who writes one moves it on', verbose_name='pages'),
        ),
    ]
