"""The developers' catalogue: server-rendered pages, complete without JavaScript."""
