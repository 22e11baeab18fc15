"""What codes mean: one row for each, with its words and with what the program does about it."""
