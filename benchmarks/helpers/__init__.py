"""What the benchmarks have in common; the commands are one folder up."""
