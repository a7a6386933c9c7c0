"""A worker of gunicorn whose threads stay with a client that goes on at once.

Package managers ask for hundreds of small documents over a few connections. Handing each back to the thread that
watches idle connections, and from there to the pool again, costs as much as many an answer.
"""

import select
from typing import Any

from gunicorn.workers.gthread import ThreadWorker

LINGER_MS = 2
IN_A_ROW = 200  # requests, so that nobody holds a thread for long


class LingeringWorker(ThreadWorker):
    """gthread, but a thread waits for more on its connection, shortly, while nobody else wants a thread."""

    def handle(self, conn: Any) -> Any:
        """Answer what comes on the connection; what gthread is to do with it afterwards."""
        going_on = super().handle(conn)
        for _ in range(IN_A_ROW):
            if going_on is not True or not self._may_stay(conn):
                break
            going_on = super().handle(conn)
        return going_on

    def _may_stay(self, conn: Any) -> bool:
        """Whether another request is there before anybody else needs the thread."""
        if not self.alive or not self.tpool._work_queue.empty():  # noqa: SLF001  # there is no public word for it
            return False
        waiting = select.poll()
        waiting.register(conn.sock, select.POLLIN)
        return bool(waiting.poll(LINGER_MS))
