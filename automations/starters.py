"""Mail templates to begin with: key, name, subject and body."""

GREETING = "Hello{% if customer.given_name != '' %} {{ customer.given_name }}{% endif %},"
CLOSE = "Kind regards,\n{{ business.name }}"


def _letter(*paragraphs: str) -> str:
    return "\n\n".join([GREETING, *paragraphs, CLOSE])


LETTERS = [
    (
        "delay_notification",
        "Order delayed",
        "{{ card.name }}: it takes a little longer",
        _letter(
            "we are sorry: **{{ card.name }}** is delayed.",
            "{% if card.due_date %}We now expect it on **{{ card.due_date }}**."
            "{% else %}We will write again as soon as we know the new date.{% endif %}",
            "If this is a problem for you, simply reply to this mail.",
        ),
    ),
    (
        "order_completed",
        "Order completed: how was it?",
        "{{ card.name }} is done. How did we do?",
        _letter(
            "**{{ card.name }}** is completed. Thank you for your order!",
            "We would like to know how it went: a line in reply to this mail is enough, good or bad.",
        ),
    ),
    (
        "loyalty_points",
        "Loyalty points",
        "Your loyalty points for {{ card.name }}",
        _letter("thank you for coming to us again. The points for **{{ card.name }}** are on your account."),
    ),
    (
        "quote_reminder",
        "Quiet quote",
        "Our quote for {{ card.name }}",
        _letter(
            "some days ago we sent you our quote for **{{ card.name }}**{% if card.value != '' %} over {{ card.value }}{% endif %}.",
            "Do you have any questions? Simply reply to this mail.",
        ),
    ),
    (
        "payment_reminder",
        "Payment reminder",
        "Payment for {{ card.name }}",
        _letter(
            "we have not yet seen your payment for **{{ card.name }}**"
            "{% if card.value != '' %} over {{ card.value }}{% endif %}.",
            "If it is on its way already, please take no notice of this mail.",
        ),
    ),
    (
        "order_cancelled",
        "Order cancelled",
        "{{ card.name }} was cancelled",
        _letter("**{{ card.name }}** was cancelled. If you did not expect this, please reply to this mail."),
    ),
    (
        "application_received",
        "Application received",
        "Your application",
        _letter("thank you for your application. We read every one of them and will write to you within two weeks."),
    ),
]
