"""The report of a simulation: figures, pictures, one page."""
