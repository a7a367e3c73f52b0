from django.db import migrations, models


def name_definitions(apps, schema_editor):
    """Let the versions that are there say beside their documents what lists show of them."""
    Definition = apps.get_model("boards", "Definition")
    for definition in Definition.objects.all():
        document = definition.document
        ref = f"{document['entityType']}::{document['entitySubtype']}"
        definition.name, definition.description = document.get("name") or ref, document.get("description") or ""
        definition.save(update_fields=["name", "description"])


class Migration(migrations.Migration):

    dependencies = [
        ('boards', '0011_files_in_order'),
    ]

    operations = [
        migrations.AddField(
            model_name='definition',
            name='name',
            field=models.CharField(default='', editable=False, max_length=120),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name='definition',
            name='description',
            field=models.TextField(blank=True, default='', editable=False, max_length=300),
        ),
        migrations.RunPython(name_definitions, migrations.RunPython.noop, elidable=True),
    ]
