"""Trains the weights of learned fusion, on data that may be shipped from."""
