"""The demo company: an ERP with real sales, a drop folder with simulated complaints, a local inbox.

Real: every sale, its time, shop, household and amount (Complete Journey, 2017, MIT licence).
Simulated: names, phone numbers, regions, account managers, costs, batches, contacts, surveys, events, and all
complaints.
"""

from datetime import date

SEED = 2017
FIRST_DAY = date(2017, 1, 1)
LAST_DAY = date(2017, 12, 31)
HISTORY_ENDS_ON = date(2017, 12, 28)
ISSUED_ON = date(2018, 1, 1)  # the Monday on which the reports about the last day, week and month go out
TIME_ZONE = "America/New_York"
BAD_PRODUCT = "DELI"
BAD_BATCH = "DELI-2017W52"  # on sale from 2017-12-25
RECALLED_ON = date(2017, 12, 30)
