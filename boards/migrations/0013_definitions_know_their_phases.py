from django.db import migrations, models


def note_steps(apps, schema_editor):
    """Let the versions that are there know which phases they are about: by the id that they say, else by the name."""
    Definition, Phase = (apps.get_model("boards", name) for name in ("Definition", "Phase"))
    for definition in Definition.objects.all():
        phases = Phase.objects.filter(workflow=definition.workflow_id).values_list("pk", "name")
        by_name = {name.casefold(): str(pk) for pk, name in phases}
        for status in definition.document["statuses"]:
            said = (status.get("settings") or {}).get("id")
            pk = said if said in by_name.values() else by_name.get(status["name"].casefold())
            if pk and status["entityType"] == definition.document["entityType"]:
                definition.steps[pk] = status["name"]
        definition.save(update_fields=["steps"])


class Migration(migrations.Migration):

    dependencies = [
        ('boards', '0012_definitions_are_listed'),
    ]

    operations = [
        migrations.AddField(
            model_name='definition',
            name='steps',
            field=models.JSONField(default=dict, editable=False),
        ),
        migrations.RunPython(note_steps, migrations.RunPython.noop, elidable=True),
    ]
