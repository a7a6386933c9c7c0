"""The products API (contract section 10): build artifacts, with permissions for each token, at the root."""
