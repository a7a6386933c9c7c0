"""Sign-in, sign-out and the profile pages of credentials and projects."""

from django.urls import path

from accounts.web import keys, privacy, projects, session, tokens

urlpatterns = [
    path("sign-in", session.SignIn.as_view(), name="sign-in"),
    path("sign-out", session.sign_out, name="sign-out"),
    path("profile/password", session.change_password, name="change-password"),
    path("profile/tokens", tokens.tokens_page, name="tokens"),
    path("profile/tokens/<uuid:token_id>/revoke", tokens.revoke, name="revoke-token"),
    path("profile/keys", keys.keys_page, name="signing-keys"),
    path("profile/keys/<int:key_id>/remove", keys.remove, name="remove-signing-key"),
    path("profile/privacy", privacy.privacy_page, name="privacy"),
    path("profile/privacy/download", privacy.download, name="download-my-data"),
    path("profile/privacy/delete", privacy.leave, name="delete-my-account"),
    path("profile/projects", projects.projects_page, name="projects"),
    path("profile/projects/<slug:slug>/default", projects.choose_default, name="choose-default-project"),
    path("profile/projects/<slug:slug>/settings", projects.configure, name="configure-project"),
    path("profile/projects/<slug:slug>/members", projects.add_member, name="add-member"),
    path("profile/projects/<slug:slug>/members/<int:user_id>/remove", projects.remove_member, name="remove-member"),
]
