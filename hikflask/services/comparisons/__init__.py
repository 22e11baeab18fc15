"""Compares a terminal as a whole with what is desired there, and mends what a person chose."""
