"""Where studies are kept, and how to wait for it."""
