def error(answer) -> tuple[int, str, str | None]:
    """(status, code, attr) of an answer that reports exactly one error."""
    [only] = answer.json()["errors"]
    return answer.status_code, only["code"], only["attr"]
