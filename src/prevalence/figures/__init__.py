"""Figures of the report: one function each, from released tables to a picture and its words."""
