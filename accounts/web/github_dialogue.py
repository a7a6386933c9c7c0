"""placeholder"""

from allauth.socialaccount.adapter import DefaultSocialAccountAdapter


class Decisions(DefaultSocialAccountAdapter):
    pass
