"""Doors for clients that speak another registry's protocol: thin, over the same activities as the REST doors."""
