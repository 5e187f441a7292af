"""`pinak-ray models`: which there are, a trial of two, the change from one to another."""
