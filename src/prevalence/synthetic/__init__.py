"""Synthetic surveys: a made-up world with a planted truth, surveys of it, and their export.

Nothing here describes a real community. Below the region, places have plain codes; rates of hidden
groups are drawn at random.
"""
