"""Pull-through: what nobody has asked for yet is fetched, checked and judged when a client first asks for it.

`offering` says which versions an index may show, `errands` brings the one that a client then asks for. Nothing that is
not approved leaves by either: the index is built of an upstream's words, the bytes go through the house's own entrance
(`bringing`) and leave by `downloading`, as all others. `allowing` says who may ask whom for which name.
"""
