"""Publishing from pipelines without a kept secret: an ID token of the run is exchanged for a token of minutes.

Trusted publishing, as npm and PyPI have it. `managing` says who is trusted, `providers` what a run must say of
itself, `issuing_keys` with what it is signed, `exchanging` gives the token.
"""
