"""What licensing shows on the pages of others."""
