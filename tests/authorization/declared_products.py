"""Who may do what with products over their own protocol: contract section 10, at the root of the portal.

What each permission of a token opens is declared beside its tests (tests/protocols/products/test_grants.py); here
stands what holds before a product is even looked for, and what the role alone decides.
"""

from tests.authorization.rules import SIGNED_IN, May, holders_of

PRODUCTS: dict[str, dict[str, May]] = {
    "register": {"PUT": holders_of("admin", 201)},
    "fetch/<str:token>": {"GET": SIGNED_IN},
    "prune/<str:token>": {"DELETE": holders_of("admin", 204)},
    "product/access": {"GET": SIGNED_IN},
    "product/create": {"PUT": holders_of("publish", 201)},
    "product/fetch/<str:product>": {"GET": SIGNED_IN},
    "product/delete/<str:product>": {"DELETE": SIGNED_IN(done=204)},
    "product/delete/<str:product>/<str:version>": {"DELETE": SIGNED_IN(done=204)},
    "product/modify/<str:action>": {"PUT": SIGNED_IN, "DELETE": SIGNED_IN},
    "product/upload": {"POST": holders_of("publish", 201)},
    "product/download/<str:product>/<str:version>": {"GET": SIGNED_IN},
}
