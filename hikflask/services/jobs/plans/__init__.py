"""Comparisons and plans as jobs: started, chosen for, and reported."""
