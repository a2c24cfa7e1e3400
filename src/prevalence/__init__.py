"""Prevalence of hidden populations from household surveys, by the network scale-up method."""
