"""What the doors for Python's clients share."""

from rest_framework.response import Response

from registry.indexing import as_ascii
from registry.protocols.indexes import ClientDoor

REALM = 'Basic realm="Packages: any user name, and a token as the password"'
MOST_SAID = 300


class PypiDoor(ClientDoor):
    """A door of the simple index: refusals stand in the status line as well, since pip shows no bodies."""

    base = "/pypi"

    def handle_exception(self, exc: Exception) -> Response:
        """The refusal as JSON, its sentence as the reason phrase; 401 asks for a password, as `.netrc` holds one."""
        answer = super().handle_exception(exc)
        if isinstance(answer.data, dict) and (said := as_ascii(str(answer.data.get("error", "")))):
            answer.reason_phrase = said[:MOST_SAID]
        if answer.status_code == 401:
            answer["WWW-Authenticate"] = REALM
        return answer
