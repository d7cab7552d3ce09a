"""The API server: from HTTP to storage and back, one step of an object's road per module."""
