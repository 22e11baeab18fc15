"""What the calls of the API share: bodies, paging, versions of rows, calls sent again, errors."""
