"""The wire format of SSH (RFC 4251 section 5): length-prefixed fields, read strictly to the last byte."""

from accounts.errors import InvalidInput


class KeyInvalid(InvalidInput):
    """The key, or something signed with it, cannot be read or is of a kind that is not accepted."""

    code = "key_invalid"


class Reader:
    """Length-prefixed fields, taken one by one to exactly the last byte."""

    def __init__(self, content: bytes) -> None:
        self._content, self._place = content, 0

    def take(self, count: int) -> bytes:
        """The next bytes, all of them present."""
        taken = self._content[self._place : self._place + count]
        if len(taken) != count:
            raise KeyInvalid("it ends too early.")
        self._place += count
        return taken

    def number(self) -> int:
        """An unsigned 32-bit number."""
        return int.from_bytes(self.take(4))

    def string(self) -> bytes:
        """A field with its length before it."""
        return self.take(self.number())

    def mpint(self) -> int:
        """A positive number in its shortest form (RFC 4251 section 5)."""
        field = self.string()
        if not field or field[0] & 0x80 or (field[0] == 0 and not (len(field) > 1 and field[1] & 0x80)):
            raise KeyInvalid("a number in it is not positive or not in its shortest form.")
        return int.from_bytes(field)

    def rest(self) -> bytes:
        """Everything that is left."""
        return self.take(len(self._content) - self._place)

    def end(self) -> None:
        """Refuse bytes that nobody asked for."""
        if self._place != len(self._content):
            raise KeyInvalid("it goes on after its end.")


def string(content: bytes) -> bytes:
    """The field with its length before it."""
    return len(content).to_bytes(4) + content
