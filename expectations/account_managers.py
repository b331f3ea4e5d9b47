"""Account managers: who looks after which customers, and who receives the reports."""

from winback.check.rules import Suite

SUITE = Suite(feed="account_managers")
