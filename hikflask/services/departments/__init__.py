"""Departments: their names, one spelling each, and merging them.

web/departments begins its work, and whatever saves an employee.
"""
