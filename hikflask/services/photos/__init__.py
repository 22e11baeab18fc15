"""Photos: the files of faces, checked, encoded anew, kept for as long as is allowed, and removed.

services/employees, captures and imports bring one; the worker removes them.
"""
