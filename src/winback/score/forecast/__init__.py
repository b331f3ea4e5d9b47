"""Forecasts: what customers will buy in the coming year, by models fitted to each business line."""
