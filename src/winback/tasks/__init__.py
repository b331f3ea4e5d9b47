"""Win-back tasks: who calls which customer by when, and what came of it.

`create` makes them and sees that somebody has each, `signature` numbers them so that only their addressee can
answer, `workbook` reads a filled-in workbook, `returned` turns the folder of those that came back into files
of the feed `contacts`.
"""
