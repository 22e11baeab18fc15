"""Cards of employees: given, and taken away or lost; which terminals have confirmed it.

web/employees and the API begin its work; enrolments/cards.py brings it to the terminals.
"""
