"""Customers: the master data that says who a customer is and who looks after them."""

from winback.check.rules import Suite

SUITE = Suite(feed="customers")
