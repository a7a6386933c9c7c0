"""The simple index at /pypi/simple/ and uploads at /pypi/legacy/, both below /pypi/{project}/ too: pip, uv, twine.

After PEP 503, 592, 629, 658, 691, 700, 714, 740 and 792, and after what these clients were seen to send.
"""
