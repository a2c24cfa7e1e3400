"""Waves of a survey: what changed between two of them, how surely, and whether they compare."""
