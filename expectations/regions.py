"""Regions: the tree along which every figure rolls up."""

from winback.check.rules import Suite

SUITE = Suite(feed="regions")
