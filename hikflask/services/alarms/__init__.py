"""Alarms: what cannot wait until somebody opens a page, found by the worker's sweep and mailed.

background/tasks.py begins its work.
"""
