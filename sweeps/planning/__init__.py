"""Plan a sweep from its command: read and check the arguments, name the study, and choose the trials."""
