"""What may enter: one suite per feed, readable top to bottom."""
