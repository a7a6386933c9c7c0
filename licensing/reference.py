"""Reference data newer than what ships: loaded by `manage.py licenses refresh`, kept as rows, used everywhere."""


def catch_up() -> None:
    """Use what was loaded last."""
