"""The tools that look for known flaws. Each is a module of its own; `ALL` is the order they run in."""

from scanning.scanners.base import Scanner
from scanning.scanners.osv import Osv

ALL: tuple[Scanner, ...] = (Osv(),)
