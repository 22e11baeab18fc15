"""Departments: their names, one spelling each."""
