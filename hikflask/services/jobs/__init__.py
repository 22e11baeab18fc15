"""Jobs: one action for many people, done by the worker one person after another, stopped, retried, reported.

Pages, API and commands begin one (lifecycle.py); the worker runs it (run.py).
"""
