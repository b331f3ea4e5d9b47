"""Reports: SQL picks the rows, Jinja shows them, Python sends one message per recipient.

A report is a folder under `reports/`. The way of one mail: `definition` reads the folder, `scope` decides
whose customers a recipient sees, `query` reads the rows, `render` makes the message, `deliver` sends it once.
"""
