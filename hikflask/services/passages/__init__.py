"""Passages: the log of a terminal read, kept and shown, and what is known of days, presence and gaps.

The worker's sweep reads it (intake.py), sooner when a terminal pushes (pushes.py); web/passages shows it.
"""
