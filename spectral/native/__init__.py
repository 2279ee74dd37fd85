"""A block of the reference network in C++, built on the machine that runs it."""
