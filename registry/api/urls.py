"""The routes of contract sections 3 and 4: packages and signatures."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
