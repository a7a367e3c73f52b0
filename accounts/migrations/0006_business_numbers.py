from django.db import migrations, models


def number_businesses(apps, schema_editor):
    """Count the businesses that are there in the order in which they came."""
    Business = apps.get_model("accounts", "Business")
    for number, pk in enumerate(Business.objects.order_by("created_at", "pk").values_list("pk", flat=True), 1):
        Business.objects.filter(pk=pk).update(number=number)


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0005_receipts'),
    ]

    operations = [
        migrations.AddField(
            model_name='business',
            name='number',
            field=models.PositiveIntegerField(blank=True, editable=False, null=True),
        ),
        migrations.RunPython(number_businesses, migrations.RunPython.noop),
        migrations.AlterField(
            model_name='business',
            name='number',
            field=models.PositiveIntegerField(blank=True, editable=False, unique=True),
        ),
    ]
