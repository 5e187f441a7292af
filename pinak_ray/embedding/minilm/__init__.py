"""The model that is built and run in process."""
