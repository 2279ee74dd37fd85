"""From a run's weights to logits, probabilities and classes."""
