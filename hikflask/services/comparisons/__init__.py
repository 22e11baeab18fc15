"""Compares a terminal as a whole with what is desired there, and mends what a person chose.

web/comparisons, api/comparisons.py and the nightly sweep begin one; services/changes runs it and its plan.
"""
