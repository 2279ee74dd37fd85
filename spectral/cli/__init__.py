"""How a command begins, ends, and reports a user's mistake."""
