"""The addresses of contacts; the list and a contact's own page are upstairs, with the cards they show."""

from django.urls import path

from contacts import views

urlpatterns = [
    path("contacts/new/", views.new, name="contact_new"),
    path("contacts/lookalikes/", views.lookalikes, name="contact_lookalikes"),
    path("contacts/pick/", views.pick, name="contact_pick"),
    path("contacts/quick/", views.quick, name="contact_quick"),
    path("contacts/labels/", views.labels, name="contact_labels"),
    path("contacts/labels/<uuid:pk>/update/", views.label_update, name="contact_label_update"),
    path("contacts/labels/<uuid:pk>/delete/", views.label_delete, name="contact_label_delete"),
    path("contacts/<uuid:pk>/edit/", views.edit, name="contact_edit"),
    path("contacts/<uuid:pk>/lookalikes/", views.lookalikes, name="contact_lookalikes"),
    path("contacts/<uuid:pk>/history/", views.history, name="contact_history"),
    path("contacts/<uuid:pk>/archive/", views.archive, name="contact_archive"),
    path("contacts/<uuid:pk>/restore/", views.restore, name="contact_restore"),
    path("contacts/<uuid:pk>/merge/", views.merge, name="contact_merge"),
    path("contacts/<uuid:pk>/delete/", views.delete, name="contact_delete"),
]
