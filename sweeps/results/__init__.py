"""What has come of a study and its runs. Read only."""
