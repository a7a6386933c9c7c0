"""How gunicorn serves the portal: threads stream long uploads and downloads, so no request has its own deadline."""

import gc
import logging
import os
import socket
import struct
import tempfile
from pathlib import Path
from typing import Any

from gunicorn.glogging import Logger

from accounts.discretion import DiscreetFormatter


class DiscreetLogger(Logger):
    """Writes no token that stands in an address, neither to the access log nor beside an error."""

    def _set_handler(self, log: Any, output: Any, fmt: logging.Formatter, stream: Any = None) -> None:
        super()._set_handler(log, output, DiscreetFormatter(fmt._fmt, fmt.datefmt), stream)  # noqa: SLF001  # no other way to ask for it


logger_class = DiscreetLogger

wsgi_app = "config.wsgi:application"
bind = f"{os.environ.get('HOST', '127.0.0.1')}:{os.environ.get('PORT', '8000')}"
worker_class = "config.lingering.LingeringWorker"
workers = int(os.environ.get("WEB_WORKERS", "2"))
threads = int(os.environ.get("WEB_THREADS", "4"))
timeout = 120  # of a worker's heartbeat, which goes on while its threads stream
graceful_timeout = int(os.environ.get("WEB_GRACE_SECONDS", "20"))
keepalive = 15
patience = int(os.environ.get("WEB_PATIENCE_SECONDS", "60"))  # with a client that takes nothing of its answer
limit_request_line = 8190  # scoped names, ranges and search words, all escaped
forwarded_allow_ips = os.environ.get("FORWARDED_ALLOW_IPS", "127.0.0.1,::1")
control_socket_disable = True
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else tempfile.gettempdir()  # noqa: S108  # memory, not disk
GARBAGE_EVERY = 20_000  # objects: a request makes thousands and leaves hardly a cycle
accesslog = "-" if os.environ.get("ACCESS_LOG") else None


def pre_request(worker: object, request: Any) -> None:
    """Let no client hold a thread that takes nothing of its answer: the kernel gives up sending, as for a line cut."""
    given = struct.pack("ll", patience, 0)
    request.unreader.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, given)


def post_worker_init(worker: object) -> None:
    """Read all of the code before the first request has to wait for it, and never look for garbage among it."""
    from django.apps import apps
    from django.urls import get_resolver

    if apps.ready:  # which an application that wraps ours may leave for later
        get_resolver().url_patterns  # noqa: B018  # reading it loads it
    gc.collect()
    gc.freeze()
    gc.set_threshold(GARBAGE_EVERY, 20, 20)
