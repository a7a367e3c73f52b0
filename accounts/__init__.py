"""The ground floor: who may, and what happened."""
