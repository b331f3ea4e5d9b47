"""What SQL cannot compute, computed inside the build: intermediate tables in, tables of `scores` out."""
