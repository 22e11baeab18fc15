"""Pages of jobs: the question before one, its progress, and its report."""
