"""The gateway: Ray Serve and FastAPI."""
