"""How the text of a file becomes a value: the SQL that converts, or yields null where it cannot."""

from winback.config import ColumnMapping
from winback.feeds import ColumnType

_DATE_FORMATS = ("%Y-%m-%d", "%Y/%m/%d", "%Y%m%d")
_STAMP_FORMATS = tuple(
    f"{day}{time}"
    for day in ("%Y-%m-%d", "%Y/%m/%d")
    for time in (" %H:%M:%S", " %H:%M:%S.%f", "T%H:%M:%S", "T%H:%M:%S.%f", " %H:%M", "")
)
_NUMBER = r"[+-]?\d+(\.\d*)?([eE][+-]?\d+)?"
_INTEGER = r"[+-]?\d+"
_HAS_OFFSET = r".*\d{2}:\d{2}.*([Zz]|[+-]\d{2}(:?\d{2})?)"
_TRUE, _FALSE = ("true", "t", "1", "yes", "y", "是"), ("false", "f", "0", "no", "n", "否")


def as_type(type_name: ColumnType, value: str, mapping: ColumnMapping | None, time_zone: str) -> str:
    """Write SQL that yields text in the form Postgres reads for a type, and null where it does not fit."""
    stated = mapping.formats if mapping else ()
    match type_name:
        case "numeric" | "integer":
            pattern = _NUMBER if type_name == "numeric" else _INTEGER
            sql = f"case when regexp_full_match({value}, '{pattern}') then {value} end"
        case "boolean":
            true, false = (", ".join(map(literal, words)) for words in (_TRUE, _FALSE))
            sql = (
                f"case when lower({value}) in ({true}) then 't' when lower({value}) in ({false}) then 'f' end"
            )
        case "date":
            formats = stated or (*_DATE_FORMATS, *_STAMP_FORMATS)
            sql = f"strftime(cast({_parsed(value, formats)} as date), '%Y-%m-%d')"
        case "timestamptz":
            formats = stated or _STAMP_FORMATS
            local = f"strftime({_parsed(value, formats)}, '%Y-%m-%d %H:%M:%S.%f')"
            absolute = f"cast(try_cast({value} as timestamptz) as varchar)"
            sql = (
                f"case when regexp_full_match({value}, '{_HAS_OFFSET}') then {absolute}"
                f" else {local} || {literal(' ' + time_zone)} end"
            )
        case "jsonb":
            sql = f"case when json_valid({value}) then {value} end"
        case "text":
            sql = value
    return sql


def _parsed(value: str, formats: tuple[str, ...]) -> str:
    return f"try_strptime({value}, [{', '.join(map(literal, formats))}])"


def literal(value: str) -> str:
    """Quote a text value for SQL."""
    return "'" + value.replace("'", "''") + "'"


def quoted(name: str) -> str:
    """Quote a name for SQL."""
    return '"' + name.replace('"', '""') + '"'
