"""The top floor: what happens by itself."""
