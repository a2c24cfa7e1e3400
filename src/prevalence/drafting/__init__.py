"""First drafts of a new survey's files, from what its export says of itself."""
