"""The API of the top floor, one module for each resource."""
