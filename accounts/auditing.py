"""The audit trail: who did what, on what, when, from where; append-only, each event chained to the one before."""

import hashlib
import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from accounts.actors import SYSTEM, Actor
from accounts.errors import RegistryError
from accounts.models import AuditEvent, AuditHead
from accounts.wording import storable

CUT, CUT_AT_ONCE = "audit.cut", 10_000
HEAD = "SELECT seq, hash FROM accounts_audithead WHERE id = 1"
MOVE_HEAD = "UPDATE accounts_audithead SET seq = %s, hash = %s WHERE id = 1"
HASHED = ("seq", "at", "actor", "credential", "action", "object", "project", "address", "outcome", "details")


@dataclass(frozen=True, slots=True)
class Problem:
    """A place where the chain is broken: the first number that is wrong, and what is wrong with it."""

    seq: int
    kind: str
    message: str


def record(
    action: str,
    object: str,
    actor: Actor,
    *,
    outcome: str = "done",
    details: dict[str, Any] | None = None,
    project: str = "",
) -> AuditEvent:
    """Append an event in the caller's transaction; call it last there, since writers queue for the chain's head."""
    with transaction.atomic(savepoint=False):
        seq, last = _locked_head()
        event = AuditEvent(
            seq=seq + 1,
            at=timezone.now(),
            actor=actor.pseudonym,
            credential=storable(actor.credential_id, 64),
            action=storable(action, 64),
            object=storable(object, 512),
            project=storable(project or (actor.project.slug if actor.project else ""), 64),
            address=truncated(actor.address),
            outcome=storable(outcome, 16),
            details=_plain(details or {}),
            previous_hash=last,
        )
        event.hash = _hash_of(*(getattr(event, name) for name in (*HASHED, "previous_hash")))
        event.save(force_insert=True)
        with connection.cursor() as cursor:
            cursor.execute(MOVE_HEAD, [event.seq, event.hash])
    return event


def hold() -> None:
    """Be the only writer until the transaction ends, as after `record`: what is appended is committed in its order.

    Raises TransactionManagementError outside of one, on every database.
    """
    if not transaction.get_connection().in_atomic_block:
        raise transaction.TransactionManagementError("Nothing is held outside of a transaction.")
    _locked_head()


def refused(action: str, object: str, actor: Actor, error: RegistryError) -> AuditEvent:
    """Note an attempt that was turned away; call it after the attempt's own transaction has rolled back."""
    return record(action, object, actor, outcome="refused", details={"code": error.code, "reason": error.message})


def truncated(address: str) -> str:
    """The network of a client address: /24 for IPv4, /48 for IPv6, nothing for what is no address."""
    try:
        parsed = ipaddress.ip_interface(address).ip
    except ValueError:
        return ""
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped:
        parsed = parsed.ipv4_mapped
    bits = 24 if parsed.version == 4 else 48
    return str(ipaddress.ip_network((parsed.packed, bits), strict=False))


def head() -> AuditHead:
    """The last link; note its number and hash elsewhere, and nobody can rewrite the trail unseen."""
    return AuditHead.objects.filter(pk=1).first() or AuditHead(pk=1)


def verify() -> list[Problem]:
    """Walk the whole chain in constant memory and name every place where it is broken, first one first."""
    problems: list[Problem] = []
    start = head()
    seq, link = start.cut_seq, start.cut_hash
    is_vouched = seq == 0
    for row in _stored_events():
        found, previous, stored = row[0], row[-2], row[-1]
        if found != seq + 1:
            problems.append(_missing(seq + 1, found - 1))
        elif previous != link:
            problems.append(Problem(found, "unlinked", f"Event {found} does not continue the event before it."))
        if _hash_of(*row[:-1]) != stored:
            problems.append(Problem(found, "altered", f"Event {found} is not what was recorded."))
        is_vouched = is_vouched or _vouches(row, start)
        seq, link = found, stored
    if not is_vouched:
        problems.insert(0, Problem(start.cut_seq, "cut", f"No event says who cut the events to {start.cut_seq}."))
    return problems + _problems_at_the_end(seq, link)


def cut(before: datetime) -> int:
    """Drop the events before the moment, oldest first; the chain goes on from the noted hash. Returns how many."""
    total, until = 0, min(before, timezone.now())
    while dropped := _cut_some(until):
        total += dropped
    return total


def cut_by_age() -> int:
    """What AUDIT_RETENTION_DAYS asks for; 0 keeps events for ever."""
    days = settings.AUDIT_RETENTION_DAYS
    return cut(timezone.now() - timedelta(days=days)) if days > 0 else 0


def _cut_some(before: datetime) -> int:
    """One short transaction: the event that vouches for the cut, the new start of the chain, the rows."""
    with transaction.atomic():
        _locked_head()
        last = None
        oldest = AuditEvent.objects.order_by("seq").values_list("seq", "hash", "at")[:CUT_AT_ONCE]
        for seq, link, at in oldest:
            if at >= before:
                break
            last = (seq, link)
        if last is None:
            return 0
        record(CUT, f"audit:{last[0]}", SYSTEM, details={"up_to": last[0], "hash": last[1]})
        AuditHead.objects.filter(pk=1).update(cut_seq=last[0], cut_hash=last[1])
        return AuditEvent.objects.filter(seq__lte=last[0]).delete()[0]


def _vouches(row: tuple[Any, ...], start: AuditHead) -> bool:
    """Whether the event is the one that says where the chain was cut last, and by whom."""
    event = dict(zip(HASHED, row, strict=False))
    said = {"up_to": start.cut_seq, "hash": start.cut_hash}
    return event["action"] == CUT and event["actor"] == SYSTEM.pseudonym and event["details"] == said


def _problems_at_the_end(seq: int, link: str) -> list[Problem]:
    """Whether the last event is the one that the head remembers."""
    last = head()
    if last.seq > seq:
        return [_missing(seq + 1, last.seq)]
    if last.seq < seq:
        return [Problem(last.seq + 1, "unknown", f"Events from {last.seq + 1} on were never recorded by this portal.")]
    if last.hash != link:
        return [Problem(seq, "altered", f"Event {seq} is not the one that the head of the chain remembers.")]
    return []


def _missing(first: int, last: int) -> Problem:
    """The report of a gap."""
    if first == last:
        return Problem(first, "missing", f"Event {first} is missing.")
    return Problem(first, "missing", f"Events {first} to {last} are missing.")


def _stored_events() -> Iterator[tuple[Any, ...]]:
    """Every row in order, as tuples: instances would double the time."""
    rows = AuditEvent.objects.order_by("seq").values_list(*HASHED, "previous_hash", "hash")
    return rows.iterator(chunk_size=2000)


def _locked_head() -> tuple[int, str]:
    """Number and hash of the chain's last event, held until the transaction ends (on SQLite the whole database is).

    Without the object mapper, since every change passes here, more than once.
    """
    with connection.cursor() as cursor:
        cursor.execute(HEAD + " FOR UPDATE" if connection.vendor == "postgresql" else HEAD)
        if row := cursor.fetchone():
            return int(row[0]), str(row[1])
    head = AuditHead.objects.select_for_update().get_or_create(pk=1)[0]
    return head.seq, head.hash


def _hash_of(*values: Any) -> str:
    """SHA-256 over the canonical JSON of an event's fields, in the order of HASHED and then the previous hash."""
    seq, at, *rest = values
    return hashlib.sha256(orjson.dumps([seq, _instant(at), *rest], option=orjson.OPT_SORT_KEYS)).hexdigest()


def _instant(at: datetime) -> str:
    """One spelling per instant, whatever time zone the database answers in."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _plain(details: dict[str, Any]) -> dict[str, Any]:
    """The details as JSON reads them back; dates, ids and sets become strings, text becomes storable."""
    return {storable(str(key), 64): _plain_value(value) for key, value in details.items()}


def _plain_value(value: Any) -> Any:
    """A JSON value that every database returns unchanged."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int) and abs(value) < 2**53:
        return value
    if isinstance(value, dict):
        return _plain(value)
    if isinstance(value, list | tuple):
        return [_plain_value(item) for item in value]
    if isinstance(value, set | frozenset):
        return sorted(str(item) for item in value)
    return storable(str(value), 2000)
