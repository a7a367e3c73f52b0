"""SQL that is made once: for the few questions and writes that every move, every new card and every request needs.

Django takes four to ten times longer to make the SQL of a query than SQLite takes to answer it, and makes it anew each
time. What is said here in Django's words is turned into SQL the first time only. Elsewhere querysets are quick enough.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime
from functools import cache
from uuid import UUID

from django.db import connection, models
from django.db.models.query import get_related_populators


class Blank(models.Expression):
    """A value that is not known yet, by the name under which it will be given."""

    def __init__(self, name: str):
        super().__init__()
        self.name = name

    def as_sql(self, compiler, connection):
        """Stand among the parameters, to be replaced when the question is asked."""
        return "%s", [self]


class Prepared:
    """A queryset with blanks in it, made once: `Prepared(lambda: Card.objects.filter(pk=Blank("pk")))`.

    It gives rows as the queryset would, with the parents that it selects along; prefetches and annotations it knows not.
    """

    def __init__(self, ask: Callable[[], models.QuerySet]):
        self._ask, self._made = ask, threading.local()  # a thread has its own connection

    def all(self, **blanks) -> list:
        """Return the rows in their order."""
        if not hasattr(self._made, "sql"):
            self._make()
        made = self._made
        values = [stored(blanks[value.name]) if isinstance(value, Blank) else value for value in made.values]
        with connection.cursor() as cursor:
            cursor.execute(made.sql, values)
            found = cursor.fetchall()
        return [self._row(columns) for columns in made.compiler.apply_converters(found, made.converters)]

    def first(self, **blanks):
        """Return the first row, or None."""
        return next(iter(self.all(**blanks)), None)

    def get(self, **blanks):
        """Return the one row; raises its model's DoesNotExist."""
        row = self.first(**blanks)
        if row is None:
            raise self._made.model.DoesNotExist
        return row

    def _make(self) -> None:
        compiler = self._ask().query.get_compiler(connection=connection)
        sql, values = compiler.as_sql()
        info, made = compiler.klass_info, self._made
        made.compiler, made.converters = compiler, compiler.get_converters([column for column, *_ in compiler.select])
        made.model, made.columns = info["model"], len(info["select_fields"])
        made.names = [column.target.attname for column, *_ in compiler.select[: made.columns]]
        made.parents = get_related_populators(info, compiler.select, connection.alias, models.FETCH_ONE)
        made.values, made.sql = values, sql  # the SQL last: it says that all is there

    def _row(self, columns: list):
        made = self._made
        row = made.model.from_db(connection.alias, made.names, columns[: made.columns])
        for parent in made.parents:
            parent.populate(columns, row)
        return row


def insert(row: models.Model) -> None:
    """Write a new row; a number that the database gives it is put on."""
    key = row._meta.pk
    is_numbered = isinstance(key, models.AutoField)
    fields = [field for field in row._meta.concrete_fields if not (field is key and is_numbered)]
    with connection.cursor() as cursor:
        cursor.execute(_insertion(type(row)), _values(row, fields))
        if is_numbered:
            row.pk = cursor.fetchone()[0]
    row._state.adding, row._state.db = False, connection.alias


def update(row: models.Model, *names: str) -> None:
    """Write these fields of a row that the caller has locked."""
    fields = [row._meta.get_field(name) for name in names]
    with connection.cursor() as cursor:
        cursor.execute(_change(type(row), names), [*_values(row, fields), stored(row.pk)])


def stored(value):
    """Return a value as the database keeps it; only ids and times are kept in different ways."""
    if isinstance(value, UUID) and not connection.features.has_native_uuid_field:
        return value.hex
    if isinstance(value, datetime):
        return connection.ops.adapt_datetimefield_value(value)
    return value


def _values(row, fields) -> list:
    return [field.get_db_prep_save(getattr(row, field.attname), connection) for field in fields]


@cache
def _insertion(model) -> str:
    key = model._meta.pk
    fields = [field for field in model._meta.concrete_fields if not isinstance(field, models.AutoField)]
    columns, blanks = ", ".join(map(_column, fields)), ", ".join(["%s"] * len(fields))
    number = f" RETURNING {_column(key)}" if isinstance(key, models.AutoField) else ""
    return f"INSERT INTO {_table(model)} ({columns}) VALUES ({blanks}){number}"  # noqa: S608 (names of ours)


@cache
def _change(model, names) -> str:
    changes = ", ".join(f"{_column(model._meta.get_field(name))} = %s" for name in names)
    return f"UPDATE {_table(model)} SET {changes} WHERE {_column(model._meta.pk)} = %s"  # noqa: S608 (names of ours)


def _table(model) -> str:
    return connection.ops.quote_name(model._meta.db_table)


def _column(field) -> str:
    return connection.ops.quote_name(field.column)
