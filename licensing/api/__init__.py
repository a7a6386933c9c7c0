"""The API door of licensing: contract section 6, licence facts."""
