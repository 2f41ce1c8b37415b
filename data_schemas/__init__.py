"""The contract at each stage border: one Frictionless Table Schema a table."""
