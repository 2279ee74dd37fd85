"""A finished run as a file for other programs, and as a page for people."""
