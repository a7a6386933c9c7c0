"""JSON in, strictly: what is refused, and that it is refused with a reason and never with a crash."""

import io
import json
from typing import Any

import pytest

from accounts.api import parsing
from accounts.errors import InvalidInput

REFUSED = {
    "nothing": b"",
    "a space": b" ",
    "half an object": b'{"a": 1',
    "a trailing comma": b'{"a": 1,}',
    "two values": b"{} {}",
    "single quotes": b"{'a': 1}",
    "a comment": b"{} // x",
    "a byte order mark": b"\xef\xbb\xbf{}",
    "UTF-16": '{"a": 1}'.encode("utf-16"),
    "Latin-1": '{"a": "é"}'.encode("latin-1"),
    "an overlong encoding": b'{"a": "\xc0\xaf"}',
    "an encoded surrogate": b'{"a": "\xed\xa0\x80"}',
    "a duplicate key": b'{"a": 1, "a": 2}',
    "a nested duplicate key": b'{"x": [{"a": 1, "a": 2}]}',
    "NaN": b'{"a": NaN}',
    "Infinity": b"[-Infinity]",
    "an infinite float": b"[1e999]",
    "a negative infinite float": b"[-1e999]",
    "a huge integer": b"[9223372036854775808]",
    "a very huge integer": b"[" + b"9" * 5000 + b"]",
    "a huge negative integer": b"[-9223372036854775809]",
    "a leading zero": b"[01]",
    "a raw control character": b'{"a": "\x01"}',
    "an escaped NUL": b'{"a": "x\\u0000y"}',
    "a NUL in a key": b'{"a\\u0000": 1}',
    "half a surrogate pair": b'{"a": "\\ud800"}',
    "the other half": b'{"a": "\\udc00x"}',
    "half a pair in a key": b'{"\\udfff": 1}',
    "depth 65 of arrays": b"[" * 65 + b"]" * 65,
    "depth 65 of objects": b'{"a":' * 65 + b"1" + b"}" * 65,
    "depth 100,000": b"[" * 100_000,
    "depth 100,000, closed": b"[" * 100_000 + b"]" * 100_000,
}
TAKEN = {
    "an object": (b'{"a": [1, 2.5, true, null, "x"]}', {"a": [1, 2.5, True, None, "x"]}),
    "a whole pair": (b'"\\ud83d\\ude00"', "😀"),
    "the largest integer": (b"9223372036854775807", 2**63 - 1),
    "the smallest integer": (b"-9223372036854775808", -(2**63)),
    "depth 64": (b"[" * 64 + b"]" * 64, json.loads("[" * 64 + "]" * 64)),
    "an exponent": (b"1e3", 1000.0),
}


@pytest.mark.parametrize("name", REFUSED)
def test_it_is_refused(name: str):
    with pytest.raises(InvalidInput) as refusal:
        parsing.loads(REFUSED[name])
    assert refusal.value.message.isprintable()
    json.dumps(refusal.value.details).encode()


@pytest.mark.parametrize("name", TAKEN)
def test_it_is_taken(name: str):
    raw, value = TAKEN[name]
    assert parsing.loads(raw) == value


def test_two_mebibytes_are_the_end(cast, client_of):
    alice = client_of(cast.alice)
    body = b'{"name": "' + b"x" * parsing.MAX_BYTES + b'"}'

    answer = alice.generic("POST", "/packages", body, "application/json")

    assert answer.status_code == 413


@pytest.mark.parametrize("name", REFUSED)
def test_over_http_it_is_400_in_the_one_shape(cast, client_of, name: str):
    answer = client_of(cast.alice).generic("POST", "/packages", REFUSED[name], "application/json")

    assert answer.status_code == 400
    assert set(answer.json()) == {"error", "statusCode", "details"}


def test_a_chunked_body_is_read_and_an_endless_one_is_not(cast, client_of):
    alice = client_of(cast.alice)
    body = json.dumps({"name": "requests", "version": "2.31.0", "ecosystem": "pypi"}).encode()

    def chunked(content: bytes):
        environ: dict[str, Any] = {
            "wsgi.input": io.BytesIO(content),
            "wsgi.input_terminated": True,
            "CONTENT_LENGTH": "",
        }
        environ |= {"CONTENT_TYPE": "application/json", "HTTP_TRANSFER_ENCODING": "chunked"}
        return alice.generic("POST", "/packages", b"", "application/json", **environ)

    assert chunked(body).status_code == 201
    assert chunked(b" " * (parsing.MAX_BYTES + 1)).status_code == 413
    assert chunked(b"").status_code == 400
