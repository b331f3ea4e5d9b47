"""Win-back campaigns: who is on the list, who of them is left alone, who decided, and what it can show."""
