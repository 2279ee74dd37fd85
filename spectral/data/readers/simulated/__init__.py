"""A survey simulated from formulas and line lists alone; see docs/simulated.md."""
