"""The results of a study and its runs. Modules here change no study."""
