"""A foreign server may misbehave as it likes: what it sends is cut off, refused or left alone, and said so."""

import gzip
import socket
import ssl
import threading
import zlib
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from registry.outgoing import Allowance, Limits, NotAllowed, Request, TooMuch, Unreachable, opened
from tests.registry.foreign import Script, foreign, says

pytestmark = pytest.mark.once
LOOPBACK = Allowance(http=True, private=True)
PATIENT = Limits(connect=20, read=20, total=60, size=100_000)
HURRIED = Limits(connect=20, read=0.3, total=0.6, size=100_000)


def here(host: str, port: int) -> list[str]:
    return ["127.0.0.1"]


def fetch(url: str, **more) -> bytes:
    more = {"allowance": LOOPBACK, "limits": PATIENT, **more}
    with opened(Request(url, **more), here) as answer:
        return answer.read()


def endless(path: str) -> Iterable[bytes]:
    yield b"HTTP/1.1 200 OK\r\n\r\n"
    while True:
        yield b"x" * 65536


def redirecting(location: str) -> Script:
    return lambda path: says(status="302 Found", Location=location)


def chunked(*chunks: bytes, end: bytes = b"0\r\n\r\n") -> list[bytes]:
    return [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", *chunks, end]


def slowly(*pieces: bytes) -> Iterable[bytes]:
    for piece in pieces:
        threading.Event().wait(0.1)
        yield piece


BOMB, ZLIB_BOMB = gzip.compress(b"\0" * 50_000_000), zlib.compress(b"\0" * 50_000_000)
MISBEHAVIOUR = {
    "an endless body": (endless, TooMuch),
    "a body larger than it may be": (lambda path: says(b"x" * 100_001), TooMuch),
    "a length larger than it may be": (lambda path: says(b"x", Content_Length=10**12), TooMuch),
    "a body shorter than announced": (lambda path: says(b"x" * 10, Content_Length=11), Unreachable),
    "a length that is no number": (lambda path: says(b"x", Content_Length="1_0"), Unreachable),
    "a negative length": (lambda path: says(b"x", Content_Length=-1), Unreachable),
    "a gzip bomb": (lambda path: says(BOMB, Content_Encoding="gzip"), TooMuch),
    "a zlib bomb": (lambda path: says(ZLIB_BOMB, Content_Encoding="deflate"), TooMuch),
    "gzip that ends early": (lambda path: says(gzip.compress(b"x" * 500)[:-9], Content_Encoding="gzip"), Unreachable),
    "gzip that is none": (lambda path: says(b"hello", Content_Encoding="gzip"), Unreachable),
    "a packing nobody asked for": (lambda path: says(b"x", Content_Encoding="br"), Unreachable),
    "chunks that break off": (lambda path: chunked(b"5\r\nhello\r\n", end=b""), Unreachable),
    "a chunk without a size": (lambda path: chunked(b"zz\r\nhello\r\n"), Unreachable),
    "a chunk of negative size": (lambda path: (*chunked(b"-1\r\n", end=b""), b"x" * 10**6), Unreachable),
    "endless chunks": (lambda path: chunked(*[b"8000\r\n" + b"x" * 32768 + b"\r\n"] * 9), TooMuch),
    "a slow body": (lambda path: slowly(*says(b"x" * 30)[:1], *[b"x"] * 30), Unreachable),
    "a body that stops": (lambda path: slowly(*says(b"x", Content_Length=2), *[b""] * 6), Unreachable),
    "a slow head": (lambda path: slowly(*(bytes([one]) for one in says(b"x")[0])), Unreachable),
    "no answer": (lambda path: slowly(*[b""] * 5), Unreachable),
    "nothing but a closed door": (lambda path: [], Unreachable),
    "no HTTP": (lambda path: [b"SSH-2.0-OpenSSH_9.9\r\n"], Unreachable),
    "a head without an end": (lambda path: [b"HTTP/1.1 200 OK\r\n", *[b"X: y" * 9000 + b"\r\n"] * 200], Unreachable),
    "promises for ever": (lambda path: slowly(*[b"HTTP/1.1 100 Continue\r\n\r\n"] * 15), Unreachable),
    "a redirect to a file": (lambda path: says(status="302 Found", Location="file:///etc/passwd"), NotAllowed),
    "a redirect to the cloud's secrets": (
        lambda path: says(status="307 Go", Location="http://169.254.169.254/latest/meta-data/"),
        NotAllowed,
    ),
    "a redirect to another spelling": (lambda path: says(status="301 Go", Location="http://2130706433/"), NotAllowed),
    "a redirect with a password": (lambda path: says(status="301 Go", Location="http://a:b@127.0.0.1/"), NotAllowed),
    "a redirect to itself": (lambda path: says(status="302 Found", Location=path), Unreachable),
    "a redirect to nonsense": (lambda path: says(status="302 Found", Location="http://[::1"), NotAllowed),
}  # fmt: skip


SLOW = {"a slow body", "a body that stops", "a slow head", "no answer", "promises for ever"}


@pytest.mark.parametrize("name", MISBEHAVIOUR)
def test_misbehaviour_ends_in_a_refusal(name: str):
    script, refusal = MISBEHAVIOUR[name]
    with foreign(script) as server, pytest.raises(refusal) as raised:
        fetch(server.url(), limits=HURRIED if name in SLOW else PATIENT)
    assert str(raised.value).endswith(".")
    assert server.visits <= 4


@pytest.mark.parametrize(
    "answer",
    [
        says(b"hello"),
        chunked(b"2\r\nhe\r\n", b"3\r\nllo\r\n"),
        says(gzip.compress(b"hello"), Content_Encoding="gzip"),
        says(gzip.compress(b"he") + gzip.compress(b"llo"), Content_Encoding="gzip"),
        says(zlib.compress(b"hello"), Content_Encoding="deflate"),
        says(b"hello", Content_Length=None),
    ],
)
def test_honest_answers_are_read(answer: list[bytes]):
    with foreign(lambda path: answer) as server:
        assert fetch(server.url()) == b"hello"


def test_what_was_read_before_is_asked_for_by_its_tag():
    with foreign(lambda path: says(status="304 Not Modified", Content_Length=5)) as server:
        request = Request(server.url(), etag='"a"', modified="Sat, 21 Nov 2026 11:00:00 GMT", allowance=LOOPBACK)
        with opened(request) as answer:
            assert (answer.is_unchanged, answer.read()) == (True, b"")
    assert 'If-None-Match: "a"' in server.heard[0]
    assert "If-Modified-Since: Sat, 21 Nov 2026 11:00:00 GMT" in server.heard[0]


def test_credentials_stay_with_the_first_origin():
    def script(path: str) -> list[bytes]:
        onward = {"/": "/same", "/same": f"http://other.example:{server.port}/there"}.get(path)
        return says(status="302 Found", Location=onward) if onward else says(b"done")

    with foreign(script) as server:
        asked = {"headers": {"Accept": "text/x"}, "credentials": {"Authorization": "Bearer s3cret"}}
        assert fetch(server.url(host="first.example"), **asked) == b"done"
    assert ["s3cret" in head for head in server.heard] == [True, True, False]
    assert all("Accept: text/x" in head for head in server.heard)
    assert f"Host: other.example:{server.port}" in server.heard[2]


def test_a_redirect_inside_needs_the_same_permission_as_a_visit(monkeypatch):
    """From a server in the world, which a rerouted connection stands for, to one inside."""
    connect = socket.socket.connect
    world = {"away.example": ["93.184.215.14"], "inside.example": ["127.0.0.1"]}
    for inside in ("127.0.0.1", "inside.example", "[::ffff:127.0.0.1]", "2130706433"):
        reached: list[object] = []
        with foreign(redirecting(f"http://{inside}:8080/")) as server, monkeypatch.context() as rerouted:
            port = server.port

            def reroute(wire: socket.socket, address: object, port=port, reached=reached) -> None:
                reached.append(address)
                connect(wire, ("127.0.0.1", port))

            rerouted.setattr(socket.socket, "connect", reroute)
            request = Request("http://away.example/", allowance=Allowance(http=True))
            with pytest.raises(NotAllowed), opened(request, lambda host, port: world.get(host, [host])):
                pass
        assert reached == [("93.184.215.14", 80)]


def test_what_is_sent_is_not_sent_on():
    with foreign(lambda path: says(status="307 Go", Location="/elsewhere")) as server:
        request = Request(server.url("/hook"), "POST", b"{}", allowance=LOOPBACK, limits=PATIENT)
        with opened(request) as answer:
            assert answer.status == 307
    assert server.visits == 1


def test_proxies_of_the_environment_are_not_used(monkeypatch):
    with foreign(lambda path: says(b"from the proxy")) as proxy, foreign(lambda path: says(b"itself")) as server:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url())
        assert fetch(server.url()) == b"itself"
    assert proxy.visits == 0


def test_headers_cannot_smuggle_others_in():
    with foreign(lambda path: says(b"")) as server, pytest.raises(ValueError, match="Invalid header value"):
        fetch(server.url(), headers={"Accept": "a\r\nX-Other: b"})


# --- TLS ----------------------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def certificate(tmp_path_factory) -> Path:
    """A key and a certificate for feeds.example, signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "feeds.example")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("feeds.example")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    plain = serialization.NoEncryption()
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    path.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return path


def test_the_certificate_proves_the_name_while_the_address_is_pinned(certificate: Path, monkeypatch):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    asked_for: list[str | None] = []
    context.sni_callback = lambda wire, name, context: asked_for.append(name)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with foreign(lambda path: says(b"hello"), context) as server:
        assert fetch(server.url(host="feeds.example", scheme="https")) == b"hello"
        with pytest.raises(Unreachable, match=r"certificate of other\.example is not good"):
            fetch(server.url(host="other.example", scheme="https"))
        monkeypatch.delenv("SSL_CERT_FILE")
        with pytest.raises(Unreachable, match=r"certificate of feeds\.example is not good"):
            fetch(server.url(host="feeds.example", scheme="https"))
    assert asked_for == ["feeds.example", "other.example", "feeds.example"]


def test_from_https_nothing_leads_back_to_http(certificate: Path, monkeypatch):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    plain = "http://feeds.example/feed.zip"
    script = says(status="301 Go", Location=plain)
    with foreign(lambda path: script, context) as server, pytest.raises(NotAllowed, match="from https to http"):
        fetch(server.url(host="feeds.example", scheme="https"))
