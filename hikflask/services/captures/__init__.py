"""Captures: a face is shown to the camera of a terminal, and its picture waits until it is saved.

web/employees and api/captures.py begin one; the worker talks to the terminal (runner.py).
"""
