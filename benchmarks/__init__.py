"""How fast it is: a real server on one core, a load generator on another, registries of two sizes."""
