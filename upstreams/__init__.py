"""What to do when a service that we ask does not answer; no input or output of its own."""
