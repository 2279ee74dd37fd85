"""What an axis can hold: numbers, choices, lists, shares."""
