"""The published description of the API, and the page that shows it."""

from django.urls import path

from registry.api.schema import DocsView, SchemaView

urlpatterns = [
    path("schema", SchemaView.as_view(), name="schema"),
    path("docs", DocsView.as_view(url_name="schema"), name="docs"),
]
