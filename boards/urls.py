"""The addresses of boards and cards."""

urlpatterns = []
