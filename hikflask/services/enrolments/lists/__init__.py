"""Lists of enrolments for programs."""
