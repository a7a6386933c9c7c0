"""The API door of accounts, and what every API door shares: errors, authentication, strict reading, rendering."""
