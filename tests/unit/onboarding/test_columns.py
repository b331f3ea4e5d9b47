"""What is known of a column's codes."""

import pytest

from winback.onboarding.columns import classed_statuses, seed_of


@pytest.mark.parametrize(
    ("feed", "column", "seed"),
    [
        ("orders", "status", "order_statuses"),
        ("complaints", "status", "complaint_statuses"),
        ("orders", "document_type", None),
        ("account_managers", "email", None),
    ],
)
def test_only_codes_that_a_seed_classes_are_looked_up_in_one(feed, column, seed):
    assert seed_of(feed, column) == seed
    assert (column in classed_statuses(feed)) == (seed is not None)
