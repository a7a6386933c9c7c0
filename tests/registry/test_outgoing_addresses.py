"""Nothing leads inside: not one spelling of an internal address, not one answer of a resolver."""

import ipaddress
import itertools
import socket

import pytest

from registry.errors import Unavailable
from registry.outgoing import Allowance, NotAllowed, Request, Unreachable, check, opened
from registry.outgoing.addresses import is_allowed

pytestmark = pytest.mark.once

LOOPBACK = (
    "127.0.0.1", "127.0.0.1.", "127.1", "127.0.1", "127.255.255.254", "2130706433", "2130706433.", "0x7f000001",
    "0x7F000001", "0x7f.0.0.1", "0x7f.1", "0x7f.0x0.0x0.0x1", "0x07f.1", "017700000001", "0177.0.0.1", "0177.0.0.01",
    "00000177.1", "0177.0x0.0.1", "127.0.0.01", "127.0.0.0x1", "127.0x1", "127.000.000.001", "0127.0.0.1",
    "4294967297", "6425673729", "127.0.0.257", "0", "0.", "0.0.0.0", "00", "0x0", "0x", "0.0", "000.000.000.000",
    "[::1]", "[::]", "[0:0:0:0:0:0:0:1]", "[0000::0001]", "[::127.0.0.1]", "[::7f00:1]",
    "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[0:0:0:0:0:ffff:7f00:0001]", "[::FFFF:127.0.0.1]",
    "[::ffff:0:127.0.0.1]",
    "[2002:7f00:1::]", "[2002:7f00:0001::1]", "[64:ff9b::127.0.0.1]", "[64:ff9b::7f00:1]", "[64:ff9b:1::7f00:1]",
    "[64:ff9b:1:7f00:0:100::]", "[2001:0:7f00:1::]", "[2001::f5ff:fffe]", "[::1%25lo]", "[::1%lo]", "[fe80::1%25eth0]",
    "①②⑦.⓪.⓪.①", "１２７.0.0.1", "127。0。0。1", "127．0．0．1", "127｡0｡0｡1", "١٢٧.0.0.1", "127.0.0.1\u200b",
    "ⓛocalhost", "ｌocalhost", "loc\u00adalhost", "localhost\u3002", "%31%32%37.0.0.1", "127%2e0%2e0%2e1",
    "127.0.0.1%00",
    "%6cocalhost", "127.0.0.1%23.example.com", "127.0.0.1\\@example.com", "127.0.0.1\t", "127.0.0.1 ", "127.0\n.0.1",
)  # fmt: skip
INSIDE = (
    "10.0.0.1", "10.1", "012.0.0.1", "0xa.0.0.1", "167772161", "172.16.0.1", "172.31.255.254", "2886729729",
    "192.168.0.1", "192.168.1", "0300.0250.0.1", "0xc0a80001", "3232235521", "100.64.0.1", "100.127.255.254",
    "[fc00::1]", "[fd12:3456:789a::1]", "[::ffff:10.0.0.1]", "[::ffff:192.168.0.1]", "[64:ff9b::10.0.0.1]",
    "[64:ff9b::c0a8:1]", "[2002:a00:1::]", "[2002:c0a8:1::]", "[::10.0.0.1]", "[::ffff:a00:1]",
)  # fmt: skip
NEVER = (
    "169.254.169.254", "169.254.0.1", "0xa9fea9fe", "2852039166", "0251.0376.0251.0376", "169.254.43518",
    "[::ffff:169.254.169.254]", "[64:ff9b::a9fe:a9fe]", "[2002:a9fe:a9fe::]", "[fe80::1]", "[fec0::1]",
    "[fd00:ec2::254]", "100.100.100.200", "192.0.0.1", "192.0.0.8", "192.0.2.1", "198.18.0.1", "198.51.100.1",
    "203.0.113.1", "192.88.99.1", "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255", "[ff02::1]",
    "[ff0e::1]", "[2001:db8::1]", "[3fff::1]", "[5f00::1]", "[100::1]", "[2001:2::1]", "[2001:10::1]",
    "[::ffff:0.0.0.0]",
)  # fmt: skip
AUTHORITIES = (
    "user@127.0.0.1", "user:pass@10.0.0.1", "example.com@127.0.0.1", "127.0.0.1@example.com", "@127.0.0.1",
    "example.com:80@127.0.0.1", "example.com%40127.0.0.1", "127.0.0.1:22", "example.com:22", "example.com:6379",
    "example.com:0", "example.com:65536", "example.com:-1", "example.com:http", "", ":80", ".", "..", "a..b",
    "-a.example",
    "[", "[::1", "::1]", "[]", "[127.0.0.1]", "example.com[::1]", "a_b$.example", f"{'a' * 64}.example",
    f"{'a.' * 127}example", "exam\u0000ple.com",
)  # fmt: skip
SCHEMES = (
    "http://example.com/", "file:///etc/passwd", "file://localhost/etc/passwd", "ftp://example.com/", "gopher://127.0.0.1/",
    "data:text/plain,x", "javascript:alert(1)", "//example.com/", "/etc/passwd", "example.com", "dict://127.0.0.1:11211/",
    "unix:///run/docker.sock", "ldap://127.0.0.1/", "https:127.0.0.1", "https:/127.0.0.1", "https:///127.0.0.1", "https://",
    "jar:https://example.com!/", "blob:https://example.com/", "\x00https://example.com", "https://example.com/a b",
    "https://example.com/\r\nHost: x", f"https://example.com/{'a' * 2048}",
)  # fmt: skip
SPELLINGS = (*LOOPBACK, *INSIDE, *NEVER, *AUTHORITIES)


@pytest.fixture
def connects(monkeypatch) -> list[object]:
    """Every address that anything connects to meanwhile."""
    seen: list[object] = []

    def refuse(self: socket.socket, address: object) -> None:
        seen.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket.socket, "connect", refuse)
    return seen


def visit(url: str, resolver=lambda host, port: [], **allowed: bool) -> None:
    with opened(Request(url, allowance=Allowance(**allowed)), resolver):
        pass


def test_there_are_enough_spellings():
    assert len(set(SPELLINGS)) >= 150


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_no_spelling_of_an_internal_address_is_connected_to(spelling: str, connects):
    asked: list[str] = []

    def resolver(host: str, port: int) -> list[str]:
        asked.append(host)
        return [host]

    for scheme in ("https", "http"):
        with pytest.raises(NotAllowed):
            visit(f"{scheme}://{spelling}/feed.zip", resolver, http=True)
    assert (connects, asked) == ([], [])


@pytest.mark.parametrize("spelling", NEVER)
def test_not_even_those_who_allow_private_networks_reach_what_is_nobodys(spelling: str, connects):
    with pytest.raises(NotAllowed):
        visit(f"http://{spelling}/", http=True, private=True)
    assert connects == []


@pytest.mark.parametrize("url", SCHEMES)
def test_only_https_is_spoken_unless_http_is_allowed(url: str, connects):
    with pytest.raises(NotAllowed):
        visit(url)
    with pytest.raises(NotAllowed):
        check(url)
    assert connects == []


@pytest.mark.parametrize("answer", [*(one.strip("[]") for one in (*INSIDE, *NEVER)), "127.0.0.1", "::1", "nonsense"])
def test_no_answer_of_a_resolver_leads_inside(answer: str, connects):
    for answers in ([answer], ["93.184.215.14", answer], [answer, "93.184.215.14"]):
        with pytest.raises(NotAllowed):
            visit("https://feeds.example/", lambda host, port, answers=answers: answers)
    assert connects == []


def test_a_resolver_that_changes_its_mind_is_asked_once_and_its_answer_kept(connects):
    """DNS rebinding: global when looked at, loopback when connected to."""
    moods = itertools.cycle((["93.184.215.14"], ["127.0.0.1"]))
    ends = {NotAllowed: 0, Unreachable: 0}
    for _ in range(10_000):
        with pytest.raises((NotAllowed, Unreachable)) as refusal:
            visit("https://feeds.example/", lambda host, port: next(moods))
        ends[refusal.type] += 1
    assert ends == {NotAllowed: 5000, Unreachable: 5000}
    assert set(connects) == {("93.184.215.14", 443)}


def test_a_name_that_nobody_knows_is_unavailable(connects):
    with pytest.raises(Unavailable, match="cannot be resolved"):
        visit("https://feeds.example/")


@pytest.mark.parametrize("inside", ["10.0.0.1", "127.0.0.1", "192.168.3.4", "[::1]", "[fd12::1]", "[::ffff:10.0.0.1]"])
def test_private_networks_are_reached_by_those_who_opted_in(inside: str, connects):
    with pytest.raises(Unreachable):
        visit(f"https://{inside}:9443/", private=True)
    assert len(connects) == 1


def test_addresses_of_the_world_are_reached():
    world = ("93.184.215.14", "1.1.1.1", "2606:4700::1111", "2a00:1450::1", "64:ff9b::1.1.1.1", "::ffff:1.1.1.1")
    assert all(is_allowed(ipaddress.ip_address(one)) for one in world)
    for url in ("https://feeds.example/all.zip?x=1", "https://xn--bcher-kva.example", "https://1.1.1.1:8443/"):
        check(url)
