"""The terminal without HTTP: its parts, its login, its faults and its log."""
