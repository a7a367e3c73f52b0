"""The third floor: what is being done."""
