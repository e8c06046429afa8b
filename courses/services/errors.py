class InvalidChange(Exception):
    """A change that makes no sense as it was sent: `code` for programs, `detail` for people, `attr` names the field."""

    def __init__(self, code: str, *, attr: str, detail: str) -> None:
        self.code, self.attr, self.detail = code, attr, detail
        super().__init__(f"{code}: {detail}")
