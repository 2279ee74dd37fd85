"""What runs inside a job: its link to the trial, its lease, its progress."""
