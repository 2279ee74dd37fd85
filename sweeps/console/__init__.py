"""What a sweep prints before its first trial and after its last."""
