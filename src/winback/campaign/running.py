"""Who takes part in a campaign that runs: the marts know who has merged, ops who was drawn since."""

from typing import LiteralString

# Customers by arm, as of `as_of_date`; a customer may be there in two arms.
RUNNING_ARMS: LiteralString = """
select customer_key, arm from marts.winback_candidates where arm is not null
union
select customer_key, arm from ops.campaign_members where window_ends_on > %(as_of_date)s
"""
