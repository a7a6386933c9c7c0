"""The products API, as build pipelines use it."""
