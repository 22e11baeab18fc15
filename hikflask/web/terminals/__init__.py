"""Pages of terminals: list, form, check, replacement, retirement, and what one tells to others."""
