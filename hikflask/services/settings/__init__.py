"""The settings that an administrator decides: kept in the database, in force in every process.

web/admin changes them; each process reads them again by itself.
"""
