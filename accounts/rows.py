"""Objects out of the rows of hand-written queries, for what every request asks: no SQL is composed for them anew."""

from collections.abc import Callable, Collection, Sequence
from itertools import chain
from typing import Any

from django.db import connections, models

Maker = Callable[[Sequence[Any]], Any]


def columns(model: type[models.Model], alias: str, without: Collection[str] = ()) -> list[str]:
    """The columns of the model, but for those attributes, for a SELECT."""
    return [f"{alias}.{field.column}" for field in _fields(model, without)]


def maker(model: type[models.Model], begin: int, without: Collection[str] = ()) -> Maker:
    """Makes an object of the columns from that place of a row on, as the object mapper would.

    None where a join found nothing. The attributes that are left out are read when they are looked at.
    """
    connection, fields = connections["default"], _fields(model, without)
    names, part = [field.attname for field in fields], slice(begin, begin + len(fields))
    expressions = [field.get_col(model.__name__) for field in fields]
    converters = [
        (at, one, expression)
        for at, expression in enumerate(expressions)
        for one in chain(connection.ops.get_db_converters(expression), expression.get_db_converters(connection))
    ]
    key = next(at for at, field in enumerate(fields) if field.primary_key)

    def make(row: Sequence[Any]) -> Any:
        values = list(row[part])
        if values[key] is None:
            return None
        connection = connections["default"]  # of this thread
        for at, convert, expression in converters:
            if values[at] is not None:
                values[at] = convert(values[at], expression, connection)
        return model.from_db("default", names, values)

    return make


def moment(at: Any) -> Any:
    """The time as a parameter of such a query."""
    return connections["default"].ops.adapt_datetimefield_value(at)


def _fields(model: type[models.Model], without: Collection[str]) -> list[Any]:
    fields = model._meta.concrete_fields  # noqa: SLF001  # Django's documented way to the fields of a model
    return [field for field in fields if field.attname not in without]
