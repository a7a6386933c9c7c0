"""The routes of contract section 5: tokens and the caller."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
