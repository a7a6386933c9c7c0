"""The API door of the registry: contract sections 3 and 4."""
