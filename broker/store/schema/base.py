"""What the tables have in common: one metadata, names for constraints, columns of the usual kinds."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Integer,
    LargeBinary,
    MetaData,
    Text,
)
from sqlalchemy.schema import SchemaItem

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

Serial = BigInteger().with_variant(Integer, "sqlite")  # SQLite numbers rows itself only when the type is INTEGER


def words(name: str, *more: SchemaItem, null: bool = False) -> Column[str]:
    return Column(name, Text, *more, nullable=null)


def number(name: str, *more: SchemaItem, null: bool = False) -> Column[int]:
    return Column(name, BigInteger, *more, nullable=null)


def instant(name: str, null: bool = True) -> Column[int]:
    return Column(name, BigInteger, nullable=null)


def hash_column(name: str = "hash", *, primary: bool = False, null: bool = False) -> Column[bytes]:
    return Column(name, LargeBinary, primary_key=primary, nullable=null)
