"""The pages of licensing."""

from django.urls import path

from licensing.web import keys

urlpatterns = [
    path("profile/projects/<slug:slug>/license-keys", keys.keys_page, name="license-keys"),
    path("profile/projects/<slug:slug>/license-keys/list", keys.issue_many, name="issue-license-keys"),
    path("profile/projects/<slug:slug>/license-keys/csv", keys.download, name="license-keys-csv"),
    path("profile/license-keys/<uuid:id>", keys.key_page, name="license-key"),
    path("profile/license-keys/<uuid:id>/suspend", keys.suspend, name="suspend-license-key"),
    path("profile/license-keys/<uuid:id>/resume", keys.resume, name="resume-license-key"),
    path("profile/license-keys/<uuid:id>/remove", keys.remove, name="remove-license-key"),
]
