"""How the text of a file becomes a value: the SQL that converts, or yields null where it cannot.

Every conversion tries the usual form first; what is written otherwise is brought into that form as text. No
amount ever passes through a float, and what could be read in two ways (3/4/2026; 12,34) is not read at all.
"""

from winback.config import ColumnMapping
from winback.feeds import ColumnType

_FULL_WIDTH = "".join(map(chr, range(0xFF01, 0xFF5F))) + "\u3000−"
_HALF_WIDTH = "".join(map(chr, range(0x21, 0x7F))) + " -"
_ANY_FULL_WIDTH = r"[\x{FF01}-\x{FF5E}\x{3000}−]"
# What a person does not see at the ends of a text; shops' exports put a tab before long numbers, for Excel.
_SPACES = " \t\r\n\u00a0\u2002\u2003\u2009\u200b\u202f\u3000\ufeff"
_ANY_WIDE_SPACE = r"^[\x{A0}\x{2002}-\x{202F}\x{3000}\x{FEFF}]|[\x{A0}\x{2002}-\x{202F}\x{3000}\x{FEFF}]$"

# The usual ways to write a moment, year first: a year of one or two digits may be a day.
_MOMENT = r"[12]\d{3}[-/]\d{1,2}[-/]\d{1,2}([ T]\d{1,2}:\d{2}(:\d{2}(\.\d{1,9})?)?)?"
_HAS_OFFSET = r"\d{4}-.*\d{2}:\d{2}.*([Zz]|[+-]\d{2}(:?\d{2})?)"
# How other ways become `2026-3-2 9:05:06 PM`: each pattern with what takes its place, one after another.
_REWRITTEN = (
    (r"^(\d{4})[年./-](\d{1,2})[月./-](\d{1,2})日?[T ]*", r"\1-\2-\3 "),
    (r"(\d) *[时時点](\d)", r"\1:\2"),
    (r"(\d) *[时時点]$", r"\1:00"),
    (r"(\d)分(\d)", r"\1:\2"),
    (r"(\d)[分秒]$", r"\1"),
    (r"(?i)(上午|下午|AM|PM) *(\d[\d:.]*)$", r"\2 \1"),
    (r"(?i) *(?:上午|AM)$", " AM"),
    (r"(?i) *(?:下午|PM)$", " PM"),
)
_YEAR_FIRST = r"^(?:[12]\d{3}-\d{1,2}-\d{1,2}(?: .*)?|[12]\d{7}(?:\d{6}| .*)?)$"
_DAY_FORMATS = ("%Y-%m-%d", "%Y%m%d")
_TIME_FORMATS = ("%H:%M:%S", "%H:%M", "%H:%M:%S.%f", "%I:%M:%S %p", "%I:%M %p")
_FORMATS = (
    *_DAY_FORMATS,
    *(f"{day} {time}" for day in _DAY_FORMATS for time in _TIME_FORMATS),
    "%Y%m%d%H%M%S",
)

# The usual numbers by their decimal sign, and those with separators of thousands, which stand before every
# three digits or nowhere: 12,34 is no number here.
_NUMBER = {".": r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?", ",": r"[+-]?\d+"}
_GROUPED = {
    ".": r"[+-]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d*)?",
    ",": r"[+-]?(?:\d{1,3}(?:\.\d{3})+|\d+)(?:,\d*)?",
}
# No amount has as many digits; what is longer may be more than a Postgres number can hold.
_LONGEST_NUMBER = 300
_CURRENCY = "(?:RMB|CNY|USD|EUR|GBP|人民币|[元¥￥$€£￡])"
_TRUE, _FALSE = ("true", "t", "1", "yes", "y", "是"), ("false", "f", "0", "no", "n", "否")


def as_type(type_name: ColumnType, value: str, mapping: ColumnMapping | None, time_zone: str) -> str:
    """Write SQL that yields text in the form Postgres reads for a type, and null where it does not fit."""
    formats = mapping.formats if mapping else ()
    decimal = mapping.decimal if mapping else "."
    match type_name:
        case "numeric":
            sql = _number(value, decimal)
        case "integer":
            digits = rf"regexp_extract({_number(value, decimal)}, '^[+-]?\d+$')"
            sql = f"cast(try_cast({digits} as integer) as varchar)"
        case "boolean":
            true, false = (", ".join(map(literal, words)) for words in (_TRUE, _FALSE))
            word = f"lower({half_width(value)})"
            sql = f"case when {word} in ({true}) then 't' when {word} in ({false}) then 'f' end"
        case "date":
            sql = _day(value, formats, time_zone)
        case "timestamptz":
            sql = _moment(value, formats, time_zone)
        case "jsonb":
            sql = f"case when json_valid({value}) then {value} end"
        case "text":
            sql = value
    return sql


def half_width(value: str) -> str:
    """Write SQL that yields text with full-width letters, digits and signs (Ａ１－) as plain ones."""
    # Translating takes microseconds a row: only where there is something to translate.
    is_wide = f"strlen({value}) > length({value}) and regexp_matches({value}, '{_ANY_FULL_WIDTH}')"
    plain = f"translate({value}, {literal(_FULL_WIDTH)}, {literal(_HALF_WIDTH)})"
    return f"case when {is_wide} then {plain} else {value} end"


def trimmed(value: str) -> str:
    """Write SQL that yields text without spaces of any width around it, and null if nothing else is there."""
    # The plain trim takes a tenth of the time, and is enough for nearly every value.
    is_wide = f"strlen({value}) > length({value}) and regexp_matches({value}, '{_ANY_WIDE_SPACE}')"
    trim = f"trim({value}, {literal(_SPACES)})"
    return f"nullif(case when contains({value}, '\t') or {is_wide} then {trim} else trim({value}) end, '')"


def _number(value: str, decimal: str) -> str:
    return (
        f"case when strlen({value}) > {_LONGEST_NUMBER} then null"
        f" when regexp_full_match({value}, '{_NUMBER[decimal]}') then {value}"
        f" else {_rewritten_number(value, decimal)} end"
    )


def _rewritten_number(value: str, decimal: str) -> str:
    """Write SQL that brings ￥1,234.50, (12.50), 12.50- and 1.2万 into the usual form.

    万 and 亿 become exponents of ten, which Postgres reads as exact numbers.
    """
    without_currency = _replaced(
        half_width(value),
        (rf"(?i)^([+-]?\(?) *{_CURRENCY} *", r"\1"),
        (rf"(?i) *{_CURRENCY}(\)?-?)$", r"\1"),
        (r"^(?:\((.*)\)|([^-]*)-)$", r"-\1\2"),
    )
    sql = f"regexp_extract({without_currency}, '^{_GROUPED[decimal]}[万亿]?$')"
    for sign, meant in ((",", ""),) if decimal == "." else ((".", ""), (",", ".")):
        sql = f"replace({sql}, '{sign}', '{meant}')"
    return f"nullif(replace(replace({sql}, '万', 'e4'), '亿', 'e8'), '')"


def _day(value: str, formats: tuple[str, ...], time_zone: str) -> str:
    """Write SQL that yields a day: of a moment with an offset, the one that it has in the system's zone."""
    usual = "null" if formats else _usual(value, "%Y-%m-%d", width=10)
    day = (
        f"case when regexp_full_match({value}, '{_HAS_OFFSET}')"
        f" then timezone({literal(time_zone)}, {_instant(value)}) else {_local(value, formats)} end"
    )
    return f"cast(cast(coalesce({usual}, {day}) as date) as varchar)"


def _moment(value: str, formats: tuple[str, ...], time_zone: str) -> str:
    """Write SQL that yields a moment: in its own offset, or else in the system's zone."""
    usual = "null" if formats else _usual(value, "%Y-%m-%d %H:%M:%S", width=19)
    absolute = f"cast({_instant(value)} as varchar)"
    zone = literal(" " + time_zone)
    return (
        f"coalesce(cast({usual} as varchar) || {zone},"
        f" case when regexp_full_match({value}, '{_HAS_OFFSET}') then {absolute}"
        f" else cast({_local(value, formats)} as varchar) || {zone} end)"
    )


def _usual(value: str, form: str, width: int) -> str:
    """Write SQL that yields the timestamp of text in the one usual form, which needs no pattern to tell."""
    is_usual = f"strlen({value}) = {width} and {value} between '1' and '3'"
    return f"case when {is_usual} then try_strptime({value}, '{form}') end"


def _local(value: str, formats: tuple[str, ...]) -> str:
    """Write SQL that yields the timestamp of text without an offset."""
    if formats:
        return _parsed(value, formats)
    rewritten = f"regexp_extract(trim({_replaced(half_width(value), *_REWRITTEN)}), '{_YEAR_FIRST}')"
    return (
        f"case when regexp_full_match({value}, '{_MOMENT}')"
        f" then try_cast(replace({value}, '/', '-') as timestamp) else {_parsed(rewritten, _FORMATS)} end"
    )


def _instant(value: str) -> str:
    """Write SQL that yields the timestamptz of text with an offset, with a space before it or without."""
    return rf"try_cast(regexp_replace({value}, ' +([+-])', '\1') as timestamptz)"


def _replaced(value: str, *replacements: tuple[str, str]) -> str:
    for pattern, replacement in replacements:
        value = f"regexp_replace({value}, '{pattern}', '{replacement}')"
    return value


def _parsed(value: str, formats: tuple[str, ...]) -> str:
    return f"try_strptime({value}, [{', '.join(map(literal, formats))}])"


def literal(value: str) -> str:
    """Quote a text value for SQL."""
    return "'" + value.replace("'", "''") + "'"


def quoted(name: str) -> str:
    """Quote a name for SQL."""
    return '"' + name.replace('"', '""') + '"'
