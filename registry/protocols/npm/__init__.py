"""The npm registry protocol at /npm/ and /npm/{project}/, for npm, pnpm and Yarn.

After npm's public registry documentation, and after what its clients were seen to send.
"""
