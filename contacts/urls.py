"""The addresses of contacts; the list and a contact's own page are upstairs, with the cards they show."""

from django.urls import path

from contacts import views

urlpatterns = [
    path("contacts/pick/", views.pick, name="contact_pick"),
    path("contacts/quick/", views.quick, name="contact_quick"),
]
