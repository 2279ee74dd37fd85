"""Reports runs to Weights & Biases and other trackers, from a process of its own."""
