"""Rows that checks have rejected: looked at, exported, mended, loaded after all, or let go.

A row in `quarantine.<feed>` is open while it waits. It is settled when it is replayed, when a newer good row
of its key resolves it, or when a person discards it; it stays in the table all the same.
"""
