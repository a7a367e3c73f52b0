"""The second floor: for whom the work is done."""
