"""Sign-in, sign-out and the profile pages of credentials and projects."""

from django.urls import path

from accounts.web import github, keys, privacy, projects, second_factor, session, tokens, web_login

urlpatterns = [
    path("sign-in", session.SignIn.as_view(), name="sign-in"),
    path("sign-in/code", second_factor.enter_code, name="sign-in-code"),
    path("sign-in/github", github.leave, name="github"),
    path("sign-in/github/callback", github.come_back, name="github-callback"),
    path("sign-in/terminal/<uuid:login_id>", web_login.terminal, name="terminal"),
    path("sign-out", session.sign_out, name="sign-out"),
    path("profile/password", session.change_password, name="change-password"),
    path("profile/security", second_factor.security_page, name="security"),
    path("profile/security/github", github.connect, name="connect-github"),
    path("profile/security/github/disconnect", github.disconnect, name="disconnect-github"),
    path("profile/security/second-factor", second_factor.set_up, name="second-factor"),
    path("profile/security/second-factor/codes", second_factor.renew_codes, name="renew-recovery-codes"),
    path("profile/security/second-factor/off", second_factor.switch_off, name="switch-off-second-factor"),
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
