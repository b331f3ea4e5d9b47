"""Airflow as a set of local processes: their environment, life and death, and a client for their API."""
