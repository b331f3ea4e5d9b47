"""What the mapping leaves over goes into `attributes` where that is asked for, from any kind of source."""

import psycopg
import pytest

from tests.company import DAY
from tests.sources import give_source
from winback.load import load_feed

pytestmark = pytest.mark.usefixtures("quick_checks")

COLUMNS = {"customer_id": "no", "name": "name"}


def test_columns_of_a_table_that_nothing_is_mapped_from_are_kept(company, query):
    with psycopg.connect(company.erp_url) as connection:
        connection.execute("create table customers (no text, name text, car text, seats int, is_gone text)")
        connection.execute("insert into customers values ('C1', 'Zhao', 'E300', 5, 'N')")
    give_source(
        company,
        "customers",
        source="erp",
        table="customers",
        attributes="unmapped",
        deletes={"column": "is_gone", "values": ["Y"]},
        columns=COLUMNS,
    )
    load_feed(company.settings, "customers", DAY)
    assert query("select name, attributes from raw.customers") == [("Zhao", {"car": "E300", "seats": 5})]


def test_columns_of_a_file_that_nothing_is_mapped_from_are_kept(company, query):
    (company.folder / "customers.csv").write_text("no,name,车型,座位\nC1,Zhao,E300,\n", encoding="utf-8")
    give_source(
        company,
        "customers",
        source="desk",
        files="customers.csv",
        attributes="unmapped",
        columns=COLUMNS,
    )
    load_feed(company.settings, "customers", DAY)
    assert query("select attributes from raw.customers") == [({"车型": "E300", "座位": None},)]
