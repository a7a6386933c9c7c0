"""The maintainers' door: the review queue, the review page, and a table for every model people look up."""

from registry.admin import blobs, decisions, feed, jobs, packages, products, releases, trust

__all__ = ["blobs", "decisions", "feed", "jobs", "packages", "products", "releases", "trust"]
