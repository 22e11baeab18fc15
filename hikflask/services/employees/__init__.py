"""Employees: saved, found, listed, exported, deactivated, deleted, erased.

web/employees and api/users.py begin its work; services/imports and services/comparisons save many.
"""
