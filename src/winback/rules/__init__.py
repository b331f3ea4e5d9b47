"""Business rules as data: shipped seeds and a company's own rows, refused with file and line if wrong."""
