"""The addresses of the ground floor."""

from django.urls import path

from accounts.views import start, theme

of_nobody = [
    path("", start.start, name="start"),
    path("up", start.up, name="up"),
    path("theme/", theme.theme, name="theme"),
]

of_a_business = []
