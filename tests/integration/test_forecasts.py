"""From raw orders to customer_scores: what is fitted, noted, kept and forecast."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import psycopg
import pytest
from click.testing import CliRunner

from tests.conftest import DatabaseMaker
from winback.build import build_warehouse
from winback.cli import main
from winback.config import Forecasts, Settings
from winback.errors import WinbackError
from winback.feeds import FEEDS
from winback.score.forecast.score import fit_now, score_forecasts
from winback.warehouse.schema import ensure_schema
from winback.warehouse.server import EmbeddedServer

DAY = date(2026, 3, 2)
LINES = {"shop": "retail", "kiosk": "retail", "empty": "retail"}
SHOPPERS, PASSERS_BY = 600, 60


@dataclass
class Built:
    """A company after its first build."""

    url: str
    settings: Settings

    def query(self, statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.url, autocommit=True) as connection:
            return connection.execute(statement, parameters).fetchall()


@pytest.fixture(scope="module")
def built(server: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Built]:
    """Build two years of a shop whose customers come back and leave, and a kiosk where nobody comes back."""
    maker = DatabaseMaker(server.url("postgres"))
    url = maker()
    columns = {name: name for name in FEEDS["orders"].required}
    settings = Settings.model_validate(
        {
            "company": {"name_en": "Test", "name_zh": "测试"},
            "business": {"time_zone": "UTC", "default_business_line": "shop", "lines": LINES},
            "systems": {"erp": {"connector": "postgres", "connection": "test_erp", "time_zone": "UTC"}},
            "feeds": {"orders": {"sources": [{"source": "erp", "table": "orders", "columns": columns}]}},
        }
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WINBACK_WAREHOUSE_URL", url)
        patch.setenv("WINBACK_STATE", str(tmp_path_factory.mktemp("state")))
        with psycopg.connect(url, autocommit=True) as connection:
            ensure_schema(connection)
            load(connection)
        build_warehouse(settings, DAY)
        yield Built(url, settings)
    maker.drop_all()


def load(connection: psycopg.Connection[Any]) -> None:
    random = np.random.default_rng(11)
    first = random.integers(0, 700, SHOPPERS)
    life = random.exponential(1 / random.gamma(0.6, 1 / 80, SHOPPERS))
    orders = []
    for number in range(SHOPPERS):
        days = np.cumsum(np.r_[0.0, random.exponential(1 / random.gamma(0.8, 1 / 40), 60)])
        own = random.gamma(4, 1 / 60)
        for day in {int(first[number] + after) for after in days if after <= life[number]}:
            if day <= 730:
                orders.append(
                    (f"S{number}", DAY - timedelta(days=730 - day), round(random.gamma(6, 1 / own), 2))
                )
    orders += [(f"K{number}", DAY - timedelta(days=number), 5) for number in range(PASSERS_BY)]
    with connection.cursor() as cursor:
        cursor.executemany(
            "insert into raw.orders (source_id, order_id, ordered_at, amount, customer_source_id,"
            " customer_id, status, load_batch_id, loaded_at, business_day)"
            " values ('erp', %s, %s::date + interval '12 hours', %s, 'erp', %s, 'settled', 1, now(), %s)",
            [(str(n), day, amount, customer, DAY) for n, (customer, day, amount) in enumerate(orders)],
        )
        for table, valid in (("customers", ""), ("customers_versions", ", '-infinity'")):
            names = "source_id, customer_id, business_line, load_batch_id, loaded_at"
            cursor.execute(
                f"insert into raw.{table} ({names}, {'valid_from' if valid else 'business_day'})"
                f" select 'erp', 'K' || n, 'kiosk', 1, now(){valid or ', current_date'}"
                f" from generate_series(0, {PASSERS_BY - 1}) as n"
            )
    connection.execute(
        "insert into ops.feed_days (feed, source_id, business_day, is_stale)"
        " values ('orders', 'erp', %s, false)",
        [DAY],
    )


def test_every_line_is_tried_and_noted_with_what_it_found_or_why_it_was_refused(built):
    found = {
        row[0]: row[1:]
        for row in built.query(
            "select business_line, status, customers, model, dropout_identified, reason, as_of_date,"
            " data_begin_on from ops.forecast_fits"
        )
    }
    assert found.keys() == LINES.keys()
    assert found["shop"][:4] == ("used", SHOPPERS, "pareto_nbd", True)
    assert found["shop"][5] == DAY
    assert found["shop"][6] < DAY - timedelta(days=650)
    assert found["kiosk"][:2] == ("refused", PASSERS_BY)
    assert found["kiosk"][4] == f"0.0% of {PASSERS_BY} customers came back, which is less than 5.0%"
    assert found["empty"][:2] == ("refused", 0)


def test_scores_are_those_of_the_fit_for_each_customer_and_null_without_one(built):
    assert built.query(
        "select business_line, count(*), count(expected_orders_12m), count(expected_margin_12m), count(clv),"
        " count(p_alive), count(fit_id) from marts.customer_scores group by 1 order by 1"
    ) == [("kiosk", PASSERS_BY, 0, 0, 0, 0, 0), ("shop", *[SHOPPERS] * 6)]
    (fit,) = built.query(
        "select r, alpha, s, beta, spend_p, spend_q, spend_gamma from ops.forecast_fits where status = 'used'"
    )
    r, alpha, s, beta, p, q, gamma = fit
    rows = built.query(
        """
        select
            frequency, recency, age, mean_spend, expected_orders_12m, p_alive, expected_revenue_12m,
            expected_margin_12m
        from (
            select
                customer_key,
                count(*) - 1 as frequency,
                max(day) - min(day) as recency,
                %s::date - min(day) as age,
                coalesce(avg(spend) filter (where day > first_day), 0) as mean_spend
            from (
                select customer_key, ordered_on as day, sum(amount) as spend,
                    min(ordered_on) over (partition by customer_key) as first_day
                from marts.fct_orders group by 1, 2
            ) as days
            group by 1
        ) as histories
        inner join marts.customer_scores using (customer_key)
        where fit_id is not null
        """,
        DAY,
    )
    assert len(rows) == SHOPPERS
    for frequency, recency, age, mean_spend, expected, alive, revenue, margin in rows:
        spend = p * (gamma + frequency * float(mean_spend)) / (p * frequency + q - 1)
        span = (beta + age / 7) / (beta + age / 7 + 365 / 7)
        if_alive = (r + frequency) * (beta + age / 7) / ((alpha + age / 7) * (s - 1)) * (1 - span ** (s - 1))
        assert expected == pytest.approx(if_alive * alive)
        assert revenue == pytest.approx(expected * spend)
        assert margin == pytest.approx(0.3 * revenue)
        assert recency <= age


def test_the_risk_rank_goes_by_the_model_only_where_it_has_proven_itself(built):
    ((model, recency, beats),) = built.query(
        "select model_auc, recency_auc, beats_recency from ops.forecast_fits where status = 'used'"
    )
    assert beats == (model > recency)
    assert {model > 0.5, recency > 0.5} == {True}
    by = "expected_orders_12m" if beats else "last_order_on"
    ranks = built.query(
        "select risk_rank, risk_ranked_by"
        " from marts.customer_scores join marts.dim_customer using (customer_key)"
        f" where customer_scores.business_line = 'shop' order by {by}, last_order_on"
    )
    assert [rank for rank, _ in ranks] == sorted(rank for rank, _ in ranks)
    assert {risk_ranked_by for _, risk_ranked_by in ranks} == {"model" if beats else "recency"}
    assert built.query("select distinct risk_ranked_by from marts.customer_scores where fit_id is null") == [
        ("recency",)
    ]


def test_a_line_is_fitted_again_when_its_last_attempt_is_old_enough(built):
    settings = Forecasts()
    with psycopg.connect(built.url) as connection:
        for days, fits in ((0, 1), (27, 1), (28, 2), (55, 2), (56, 3)):
            score_forecasts(connection, settings, DAY + timedelta(days=days))
            found = connection.execute(
                "select business_line, count(*) from ops.forecast_fits group by 1"
            ).fetchall()
            assert dict(found) == dict.fromkeys(LINES, fits), days
        connection.rollback()


def test_the_same_rows_give_the_same_fit_and_scores_to_the_last_bit(built):
    bits = "select md5(string_agg(t::text, '' order by t::text)) from scores.forecasts as t"
    with psycopg.connect(built.url) as connection:
        before = connection.execute(bits).fetchone()
        score_forecasts(connection, Forecasts(), DAY)
        assert connection.execute(bits).fetchone() == before
        fit_now(connection, Forecasts())
        distinct = connection.execute(
            "select count(distinct (r, alpha, s, beta, spend_p, spend_q, spend_gamma, model_auc)), count(*)"
            " from ops.forecast_fits where business_line = 'shop'"
        ).fetchone()
        assert distinct == (1, 2)
        connection.rollback()


def test_a_degenerate_fit_is_refused_and_the_last_good_one_stays_in_use(built, caplog):
    with psycopg.connect(built.url) as connection:
        connection.execute("update intermediate.int_purchase_histories set frequency = 0, mean_spend = null")
        ((used,),) = connection.execute(
            "select fit_id from ops.forecast_fits where status = 'used'"
        ).fetchall()
        with caplog.at_level(logging.WARNING):
            score_forecasts(connection, Forecasts(), DAY + timedelta(days=28))
        assert "shop: the fit of 2026-03-30 is refused, that of 2026-03-02 stays in use" in caplog.text
        assert "kiosk" not in caplog.text
        assert connection.execute("select distinct fit_id from scores.forecasts").fetchall() == [(used,)]
        connection.rollback()


def test_what_was_found_can_be_shown_and_fitted_anew_by_hand(built, monkeypatch, tmp_path):
    shown = CliRunner().invoke(main, ["forecast", "show"])
    assert shown.exit_code == 0, shown.output
    assert f"{SHOPPERS} customers" in shown.output
    assert "dropout identified" in shown.output
    assert f"refused on {DAY}: 0.0% of {PASSERS_BY} customers came back" in shown.output
    monkeypatch.setattr("winback.config.load_settings", lambda: built.settings)
    ((before,),) = built.query("select count(*) from ops.forecast_fits")
    fitted = CliRunner().invoke(main, ["forecast", "fit"])
    assert fitted.exit_code == 0, fitted.output
    assert built.query("select count(*) from ops.forecast_fits") == [(before + len(LINES),)]


def test_nothing_is_fitted_on_what_a_failed_build_left(built):
    with psycopg.connect(built.url) as connection:
        connection.execute("insert into ops.builds (as_of_date, status) values (%s, 'failed')", [DAY])
        with pytest.raises(WinbackError, match="The last build is failed"):
            fit_now(connection, Forecasts())
        connection.rollback()


def test_bi_tools_may_read_the_scores(built):
    assert built.query("select has_table_privilege('bi_reader', 'marts.customer_scores', 'select')") == [
        (True,)
    ]
