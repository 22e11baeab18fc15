"""What `hikflask doctor` looks at: each module looks at one part of an installation and tells what it found."""

from hikflask.diagnosis.finding import Finding

__all__ = ["Finding"]
