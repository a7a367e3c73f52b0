"""Where everything is: pages of nobody, pages of a business, the admin."""

from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.urls import include, path

from accounts.urls import of_a_business as accounts_urls
from accounts.urls import of_nobody
from automations.urls import urlpatterns as automations_urls
from automations.views.inlets import receive
from boards.urls import of_the_public
from boards.urls import urlpatterns as boards_urls
from config import api
from config.views import docs
from contacts.urls import urlpatterns as contacts_urls

admin.site.login = secure_admin_login(admin.site.login)  # one door for all, with its limits and its second step

urlpatterns = [
    *of_nobody,
    path("accounts/", include("allauth.urls")),
    path("admin/", admin.site.urls),
    *api.urlpatterns(),
    path("docs/", docs.guide, name="docs"),
    path("docs/api/", docs.api, name="docs_api"),
    path("docs/api/openapi.json", docs.document, name="docs_document"),
    path("docs/<slug:name>/", docs.guide, name="docs_guide"),
    path("in/<str:secret>/", receive, name="receive"),
    *of_the_public,
    path("<slug:business>/", include([*accounts_urls, *contacts_urls, *boards_urls, *automations_urls])),
]

handler400 = api.bad_request
handler403 = "accounts.views.errors.permission_denied"
handler404 = "accounts.views.errors.page_not_found"
handler500 = api.server_error
