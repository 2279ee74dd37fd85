"""Classical methods: they train on what a network would be given, and leave scores and predictions in a run folder."""
