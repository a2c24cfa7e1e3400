"""The report: from released tables and words to one source, from the source to three formats."""
