"""Pictures of a run for its folder, one file each; all are drawn without a display."""
