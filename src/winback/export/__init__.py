"""Lists that leave for CRM and SMS tools: who may be on them, what each tool gets, and that it goes once."""
