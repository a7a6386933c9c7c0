"""How a table of the matrix says who may: one `May` per route and method, and the status it foretells for a caller."""

from dataclasses import dataclass, replace

from tests.authorization.callers import Caller

SIGN_IN, FORBIDDEN, HIDDEN = 401, 403, 404
PACKAGES = ("own-public", "own-private", "foreign-public", "foreign-private")
OWN_OR_FOREIGN = ("own", "foreign")
CREDENTIALS = ("itself", "own", "foreign")


@dataclass(frozen=True)
class May:
    """Who may, asked in the order of the fields; `done` is the status for those who may."""

    done: int = 200
    targets: tuple[str, ...] = ("-",)
    signed_in: bool = False
    session: bool = False  # a person at the portal, no token …
    or_admin_token: bool = False  # … unless it carries `admin`
    scope: str = ""
    sees: bool = False  # the package must be visible, else it does not exist
    foreign: int = 0  # what others' things answer
    tenant: bool = False  # it exists only for requests that act for its project, whoever asks
    admins_too: bool = False  # even to admins
    itself: bool = False  # a token may do this to itself, not to another one
    owner: bool = False  # of the project; admins count
    writes: bool = False  # into the project, as its readers may not
    unbound: bool = False  # not with a token that is bound to a project
    tokens: int = 0  # what tokens get where only a session can be told apart (sign-in pages)
    sessions: int = 0  # what a session gets that has no business here any more
    only_asks: bool = False  # with a body too long for an address; it changes nothing, so no event tells of it

    def __call__(self, **changes: object) -> "May":
        return replace(self, **changes)


ANYONE = May()
SIGNED_IN = May(signed_in=True)
WHO_SEES = May(targets=PACKAGES, sees=True)
A_PERSON = May(signed_in=True, session=True)


def holders_of(scope: str, done: int = 200, **more: object) -> May:
    """Those whose role and credential carry the scope."""
    return May(done, signed_in=True, scope=scope)(**more)


def foretell(may: May, caller: Caller, target: str) -> int:
    """The status that the declaration promises to this caller about this target."""
    if caller.is_token and may.tokens:
        return may.tokens
    if caller.is_session and may.sessions:
        return may.sessions
    if may.signed_in and caller.is_anonymous:
        return SIGN_IN
    if may.session and caller.is_token and not (may.or_admin_token and caller.carries("admin")):
        return FORBIDDEN
    if may.scope and not caller.is_anonymous and not caller.carries(may.scope):
        return FORBIDDEN
    return _about_the_target(may, caller, target)


def _about_the_target(may: May, caller: Caller, target: str) -> int:
    reaches_all = caller.carries("admin") and not may.admins_too and not caller.bound
    if may.sees and not caller.sees(target):
        return HIDDEN
    if may.writes and caller.role == "reader":
        return FORBIDDEN
    if may.tenant and target != (caller.bound or caller.named or "own"):
        return HIDDEN
    if caller.bound and (may.unbound or (may.scope and target.startswith("foreign"))):
        return FORBIDDEN
    if may.foreign and target.startswith("foreign") and not reaches_all:
        return may.foreign
    if may.itself and caller.is_token and target != "itself" and not reaches_all:
        return FORBIDDEN
    if may.owner and caller.role in ("maintainer", "reader"):  # who are mere members of the project in the room
        return FORBIDDEN
    return may.done
