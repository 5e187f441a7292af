"""The wire over HTTP: requests, answers, problems."""
