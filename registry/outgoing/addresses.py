"""Which addresses may be visited: read strictly, resolved once, and every answer looked at."""

import ipaddress
import re
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import SplitResult, quote, urlsplit

from registry.errors import InvalidInput, Unavailable

IP = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolver = Callable[[str, int], Sequence[str]]
LONGEST = 2048
PORTS = frozenset({80, 443, 8080, 8443})
STANDARD_PORTS = {"http": 80, "https": 443}
LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
HOST = re.compile(rf"{LABEL}(?:\.{LABEL})*")
# What a resolver would read as a number: 127.1, 0x7f000001, 017700000001 (the WHATWG URL standard, "ends in a number")
NUMERIC = re.compile(r"(?:.*\.)?(?:[0-9]+|0x[0-9a-f]*)")
UNSAFE = re.compile(r"[\x00-\x20\x7f\\]")
# Special-purpose blocks (IANA) which older Pythons call global, and IPv6 that hides an IPv4 address
NEVER = tuple(
    map(
        ipaddress.ip_network,
        ("192.0.0.0/24", "192.88.99.0/24", "198.18.0.0/15", "224.0.0.0/4", "240.0.0.0/4",
         "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"),
    )
)  # fmt: skip
WORLD = ipaddress.IPv6Network("2000::/3")  # all that was ever given out of IPv6
PRIVATE = tuple(
    map(
        ipaddress.ip_network,
        ("10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "::1/128", "fc00::/7"),
    )
)
METADATA = frozenset(map(ipaddress.ip_address, ("fd00:ec2::254", "100.100.100.200")))  # of clouds, with their secrets
NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


class NotAllowed(InvalidInput):
    """An address that must not be visited: no connection was made."""

    code = "address_not_allowed"


@dataclass(frozen=True, slots=True)
class Allowance:
    """What the owner of a target opted into: plain http, and addresses (and ports) inside private networks."""

    http: bool = False
    private: bool = False


NOTHING = Allowance()


@dataclass(frozen=True, slots=True)
class Place:
    """A URL that has been read: where to connect, and what to ask for there."""

    scheme: str
    host: str
    port: int
    target: str

    @property
    def origin(self) -> tuple[str, str, int]:
        """Whoever answers here; credentials stay within it."""
        return self.scheme, self.host, self.port

    @property
    def authority(self) -> str:
        """The Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == STANDARD_PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def url(self) -> str:
        """The whole again."""
        return f"{self.scheme}://{self.authority}{self.target}"


def check(url: str, allowance: Allowance = NOTHING) -> None:
    """Raise NotAllowed where the URL could never be visited, before a name is resolved: for forms."""
    place = read(url, allowance)
    if (address := _literal(place.host)) is not None:
        _need_allowed(place.host, address, allowance)


def read(url: str, allowance: Allowance) -> Place:
    """Take the URL apart; raises NotAllowed for whatever different readers could read differently."""
    if len(url) > LONGEST or UNSAFE.search(url):
        raise NotAllowed("The address is too long, or holds spaces, backslashes or control characters.")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise NotAllowed("The address is no URL.") from None
    if parts.scheme not in STANDARD_PORTS or (parts.scheme == "http" and not allowance.http):
        raise NotAllowed(f"Only {'http and https' if allowance.http else 'https'} addresses may be visited here.")
    if "@" in parts.netloc:
        raise NotAllowed("The address must not hold a user name or password.")
    port = STANDARD_PORTS[parts.scheme] if port is None else port
    if port not in PORTS and not (allowance.private and port):
        raise NotAllowed(f"The port {port} may not be visited.")
    return Place(parts.scheme, _host(parts), port, _target(parts))


def _host(parts: SplitResult) -> str:
    """The host in its one spelling; names beyond ASCII have to come in their ASCII form (xn--)."""
    host = (parts.hostname or "").removesuffix(".")
    if "[" in parts.netloc:
        try:
            return str(ipaddress.IPv6Address(host if "%" not in host else ""))
        except ValueError:
            raise NotAllowed("The address holds no readable IPv6 address.") from None
    if NUMERIC.fullmatch(host):
        try:
            return str(ipaddress.IPv4Address(host))
        except ValueError:
            raise NotAllowed("A host that ends in a number has to be four plain decimal numbers.") from None
    if len(host) > 253 or not HOST.fullmatch(host):
        raise NotAllowed("The host has to be a plain name: letters, digits, hyphens and dots.")
    return host


def _target(parts: SplitResult) -> str:
    path = quote(parts.path, safe="%/:=&~+!$,;'@()*") or "/"
    query = quote(parts.query, safe="%/:=&?~+!$,;'@()*[]")
    return f"{path}?{query}" if query else path


def system_resolver(host: str, port: int) -> Sequence[str]:
    """Ask the system; how long that may take is its business (resolv.conf)."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return ()
    return list(dict.fromkeys(str(one[4][0]) for one in found))


def resolve(place: Place, allowance: Allowance, resolver: Resolver) -> list[IP]:
    """The addresses to connect to; raises NotAllowed if only one of them is not allowed, Unavailable for none."""
    literal = _literal(place.host)
    answers = [str(literal)] if literal else resolver(place.host, place.port)
    if not answers:
        raise Unavailable(f"The name {place.host} cannot be resolved.")
    try:
        addresses = [ipaddress.ip_address(answer) for answer in answers]
    except ValueError:
        raise NotAllowed(f"The name {place.host} leads to something that is no address.") from None
    for address in addresses:
        _need_allowed(place.host, address, allowance)
    return addresses


def _literal(host: str) -> IP | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _need_allowed(host: str, address: IP, allowance: Allowance) -> None:
    if not is_allowed(address, private=allowance.private):
        # Without the address itself: whoever types names in must not learn what they mean inside.
        hint = "" if allowance.private else " Allow private networks for this target if it is meant to be inside."
        raise NotAllowed(f"{host} is, or leads to, an address that may not be visited.{hint}")


def is_allowed(address: IP, *, private: bool = False) -> bool:
    """Whether the address is out in the world, or in a private network if those are opted into.

    Link-local addresses, where clouds keep their secrets, multicast and unassigned blocks are never allowed.
    """
    meant = _meant(address)
    if meant in METADATA or getattr(meant, "scope_id", None):
        return False
    if any(meant in block for block in PRIVATE):
        return private
    is_given_out = meant.version == 4 or meant in WORLD
    return is_given_out and meant.is_global and not any(meant in block for block in NEVER)


def _meant(address: IP) -> IP:
    """The IPv4 address behind a mapped or NAT64 one: that is where the packets go."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address.ipv4_mapped:
        return address.ipv4_mapped
    return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF) if address in NAT64 else address
