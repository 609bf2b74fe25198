"""TAP_SCHEMA: the tables that describe the tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from reimage.archive.server.columns import Column, Key, TableShape


def _shape(name: str, description: str, columns: str, *keys: Key) -> TableShape:
    """Return a table's shape; its columns are ``name`` or ``name:int``, then what they mean."""
    made = []
    for line in columns.strip().splitlines():
        spelt, _, about = line.strip().partition(" ")
        column, _, datatype = spelt.partition(":")
        made.append(
            Column(
                name=column,
                datatype=datatype or "char",
                description=about,
                is_standard=True,
            )
        )
    full_name = f"TAP_SCHEMA.{name}"
    return TableShape(name=full_name, description=description, columns=tuple(made), keys=keys)


def _key(number: int, target: str, from_column: str, target_column: str) -> Key:
    return Key(
        id=f"tap_schema_{number}",
        target=f"TAP_SCHEMA.{target}",
        from_column=from_column,
        target_column=target_column,
    )


SHAPES: Final = (
    _shape(
        "schemas",
        "The schemas.",
        """
        schema_name name of the schema
        description what it holds
        utype what it is, by a data model
        schema_index:int where to show it
        """,
    ),
    _shape(
        "tables",
        "The tables.",
        """
        schema_name schema of the table
        table_name name of the table, with its schema
        table_type table or view
        description what it holds
        utype what it is, by a data model
        table_index:int where to show it
        """,
        _key(1, "schemas", "schema_name", "schema_name"),
    ),
    _shape(
        "columns",
        "The columns.",
        """
        table_name table of the column
        column_name name of the column
        datatype type, as in VOTable
        arraysize length, as in VOTable
        xtype what kind of text it is
        size:int length; deprecated
        description what it holds
        utype what it is, by a data model
        unit unit
        ucd what it is, by UCD
        indexed:int 1: there is an index
        principal:int 1: of the chief columns
        std:int 1: of a standard
        column_index:int where to show it
        """,
        _key(2, "tables", "table_name", "table_name"),
    ),
    _shape(
        "keys",
        "The foreign keys.",
        """
        key_id name of the key
        from_table table that refers
        target_table table referred to
        description what it means
        utype what it is, by a data model
        """,
        _key(3, "tables", "from_table", "table_name"),
        _key(4, "tables", "target_table", "table_name"),
    ),
    _shape(
        "key_columns",
        "The columns of the foreign keys.",
        """
        key_id name of the key
        from_column column that refers
        target_column column referred to
        """,
        _key(5, "keys", "key_id", "key_id"),
    ),
)
_SCHEMAS: Final = {
    "ivoa": "Observations, by the model ObsCore.",
    "TAP_SCHEMA": "What can be asked for.",
}


def contents(shapes: Sequence[TableShape]) -> Iterator[tuple[TableShape, Iterator[Any]]]:
    """Yield each table of TAP_SCHEMA with its rows."""
    makers = (_schemas, _tables, _columns, _keys, _key_columns)
    for shape, rows in zip(SHAPES, makers, strict=True):
        yield shape, rows(shapes)


def _schemas(_shapes: Sequence[TableShape]) -> Iterator[Any]:
    for index, (name, description) in enumerate(_SCHEMAS.items()):
        yield (name, description, None, index)


def _tables(shapes: Sequence[TableShape]) -> Iterator[Any]:
    for index, shape in enumerate(shapes):
        yield (
            shape.schema, shape.name, "table", shape.description, shape.utype or None, index,
        )  # fmt: skip


def _columns(shapes: Sequence[TableShape]) -> Iterator[Any]:
    for shape in shapes:
        for index, column in enumerate(shape.columns):
            yield (
                shape.name, column.delimited, column.datatype, column.arraysize or None,
                column.xtype or None, None, column.description, column.utype or None,
                column.unit or None, column.ucd or None, int(column.is_indexed),
                int(column.is_standard), int(column.is_standard), index,
            )  # fmt: skip


def _keys(shapes: Sequence[TableShape]) -> Iterator[Any]:
    for shape in shapes:
        for key in shape.keys:
            yield (key.id, shape.name, key.target, None, None)


def _key_columns(shapes: Sequence[TableShape]) -> Iterator[Any]:
    for shape in shapes:
        for key in shape.keys:
            yield (key.id, key.from_column, key.target_column)
