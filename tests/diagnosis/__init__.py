"""Tests of what `hikflask doctor` looks at."""
