"""Pages of departments: the list, renaming and merging."""
