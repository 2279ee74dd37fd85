"""The domains of an axis: numbers, choices, lists, shares."""
