"""Bayesian scale-up models: densities, one sampler, scaling, and checks.

A model is a module with a density over one flat vector. Its coordinates are arranged as in
:class:`prevalence.models.layout.Layout`: global parameters, blocks of parameters of areas, and one
effect a respondent. The engine needs no more than the density and its gradient.
"""
