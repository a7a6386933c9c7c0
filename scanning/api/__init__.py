"""The API door of scanning: contract section 7."""
