"""Enrolments: what is desired of a person at a terminal, and the attempts that bring the terminal there and prove it.

services/employees, groups, imports and comparisons desire it; the worker's turns make the attempts (schedule.py,
reconcile.py).
"""
