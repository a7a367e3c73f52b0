"""The addresses of what happens by itself."""

from django.urls import path

from automations.views import mail, webhooks

urlpatterns = [
    path("webhooks/", webhooks.webhooks, name="webhooks"),
    path("webhooks/new/", webhooks.new, name="webhook_new"),
    path("webhooks/calls/<uuid:call>/", webhooks.call, name="call"),
    path("webhooks/calls/<uuid:call>/resend/", webhooks.resend, name="call_resend"),
    path("webhooks/<uuid:webhook>/", webhooks.webhook, name="webhook"),
    path("webhooks/<uuid:webhook>/update/", webhooks.update, name="webhook_update"),
    path("webhooks/<uuid:webhook>/test/", webhooks.test, name="webhook_test"),
    path("webhooks/<uuid:webhook>/rotate/", webhooks.rotate, name="webhook_rotate"),
    path("webhooks/<uuid:webhook>/disable/", webhooks.disable, name="webhook_disable"),
    path("webhooks/<uuid:webhook>/enable/", webhooks.enable, name="webhook_enable"),
    path("webhooks/<uuid:webhook>/delete/", webhooks.delete, name="webhook_delete"),
    path("templates/", mail.templates, name="mail_templates"),
    path("templates/new/", mail.new, name="mail_template_new"),
    path("templates/stock/", mail.stock, name="mail_templates_stock"),
    path("templates/letterhead/", mail.letterhead, name="letterhead"),
    path("templates/<uuid:template>/", mail.template, name="mail_template"),
    path("templates/<uuid:template>/update/", mail.update, name="mail_template_update"),
    path("templates/<uuid:template>/delete/", mail.delete, name="mail_template_delete"),
    path("templates/<uuid:template>/test/", mail.test, name="mail_template_test"),
    path("outbox/", mail.outbox, name="outbox"),
    path("outbox/<uuid:mail>/", mail.mail, name="mail"),
    path("outbox/<uuid:mail>/send/", mail.send_now, name="mail_send"),
    path("outbox/<uuid:mail>/stop/", mail.stop, name="mail_stop"),
    path("outbox/<uuid:mail>/resend/", mail.resend, name="mail_resend"),
]
