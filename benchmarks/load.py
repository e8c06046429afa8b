import json
import re
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

SCRIPT = """
local requests = {}
function init(_)
  for line in io.lines("%(file)s") do
    local field = "([^\\t]*)\\t"
    local method, path, token, etag, signature, ip, body = line:match("^" .. field:rep(6) .. "(.*)$")
    local headers = {["Host"] = wrk.headers["Host"], ["Content-Type"] = "application/json"}
    if token ~= "" then headers["Authorization"] = "Bearer " .. token end
    if etag ~= "" then headers["If-None-Match"] = etag end
    if signature ~= "" then headers["Stripe-Signature"] = signature end
    if ip ~= "" then headers["X-Forwarded-For"] = ip end
    table.insert(requests, wrk.format(method, path, headers, body ~= "" and body or nil))
  end
end
local at = 0
function request()
  at = at %% #requests + 1
  return requests[at]
end
function done(summary, latency, _)
  io.write(string.format("RESULT %%d %%d %%d %%d %%d %%d\\n", summary.requests, summary.duration, summary.errors.status,
    summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout,
    latency:percentile(50), latency:percentile(90)))
end
"""


@dataclass(frozen=True)
class Call:
    method: str
    path: str
    token: str = field(default="", repr=False)
    body: dict | None = None
    etag: str = ""
    signature: str = ""
    ip: str = ""

    def line(self) -> str:
        body = json.dumps(self.body) if self.body is not None else ""
        return "\t".join((self.method, self.path, self.token, self.etag, self.signature, self.ip, body))


@dataclass(frozen=True)
class Result:
    """Requests per second, answers of 400 and more, broken connections, and latency in milliseconds."""

    rate: float
    bad_status: int
    broken: int
    p50_ms: float
    p90_ms: float


def wrk(base_url: str, calls: list[Call], *, connections: int, seconds: int) -> Result:
    """Send `calls` round and round over `connections` for `seconds`."""
    with tempfile.TemporaryDirectory() as folder:
        lines, script = Path(folder) / "calls.tsv", Path(folder) / "calls.lua"
        lines.write_text("".join(call.line() + "\n" for call in calls))
        script.write_text(SCRIPT % {"file": lines})
        command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "15s", "-s", str(script), base_url]
        output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found = re.search(r"RESULT (\d+) (\d+) (\d+) (\d+) (\d+) (\d+)", output)
    if not found:
        raise RuntimeError(f"wrk gave no result:\n{output}")
    requests, microseconds, bad, broken, p50, p90 = map(int, found.groups())
    return Result(requests / (microseconds / 1e6), bad, broken, p50 / 1000, p90 / 1000)
