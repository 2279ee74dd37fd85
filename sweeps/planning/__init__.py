"""What a command asks for: its arguments, the checks of them, its plan and its study's name."""
