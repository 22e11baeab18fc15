"""The functions of ISAPI that the terminal answers, one module a section."""
