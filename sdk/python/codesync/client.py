"""The whole portal as one object."""

from datetime import timedelta
from types import TracebackType
from typing import Self

from codesync.answers import Me
from codesync.licenses import Licenses
from codesync.packages import Packages
from codesync.retrying import Patience
from codesync.rotation import Held, Persist, Rotating
from codesync.security import Security
from codesync.syncs import Syncs
from codesync.tokens import Tokens
from codesync.transport import Keeper, Transport


class Client:
    """A portal, asked with a token (or a license key, or nothing).

    `on_rotation` gets the successor of the token once less than `rotate_before` is left of it: keep it where the next
    start reads it. Without the hook a token is never replaced. Every refusal is an `ApiError`; 429 and 5xx are asked
    again as long as `patience` allows, writes only where the portal says that it did nothing.
    """

    def __init__(
        self,
        url: str,
        token: str = "",
        *,
        project: str = "",
        timeout: float = 60.0,
        patience: Patience | None = None,
        on_rotation: Persist | None = None,
        rotate_before: timedelta = timedelta(days=7),
        keeper: Keeper | None = None,
    ) -> None:
        if keeper is None:
            keeper = Rotating(token, on_rotation, before=rotate_before) if token and on_rotation else Held(token)
        self.transport = Transport(url, keeper, project=project, timeout=timeout, patience=patience)
        self.packages = Packages(self.transport)
        self.security = Security(self.transport)
        self.tokens = Tokens(self.transport)
        self.licenses = Licenses(self.transport)
        self.syncs = Syncs(self.transport)

    def me(self) -> Me:
        """Who the portal takes the caller for. Raises ApiError 401 for nobody."""
        return self.transport.ask("GET", "/me")

    def close(self) -> None:
        """Give the connections back."""
        self.transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
