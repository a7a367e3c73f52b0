"""What people fill in about rules and what leaves the building."""
