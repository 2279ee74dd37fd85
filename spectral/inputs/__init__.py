"""What a network is given: batches of a survey, made into its channels. Tensors only."""
