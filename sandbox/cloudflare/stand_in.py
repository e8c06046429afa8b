from sandbox.cloudflare import analytics, copying
from sandbox.cloudflare.account import Account
from sandbox.cloudflare.hooks import Hooks
from sandbox.cloudflare.library import Library
from sandbox.cloudflare.media import SAMPLE_DURATION_S, SAMPLE_HEIGHT, SAMPLE_WIDTH
from sandbox.cloudflare.uploads import Uploads
from sandbox.cloudflare.video import PENDING, READY, STATES
from sandbox.context import SandboxContext


class CloudflareSandbox:
    """The whole stand-in for Cloudflare Stream behind one sandbox, for tests and for the control pages."""

    def __init__(self, context: SandboxContext) -> None:
        self.context = context
        self.account = Account(context)
        self.hooks = Hooks(context)
        self.library = Library(context, self.account, self.hooks)
        self.uploads = Uploads(context, self.library)
        context.on_forget.append(self.hooks.forget)
        context.on_forget.append(self.library.forget_files)

    def start(self) -> None:
        self.account.start()
        self.library.start()
        self.uploads.start()
        copying.resume(self.library)

    def stop(self) -> None:
        """Stop what is under way; must come before the store is closed."""
        self.library.stop()

    def add_video(
        self,
        title: str = "Sample",
        state: str = READY,
        duration: float = SAMPLE_DURATION_S,
        uid: str | None = None,
        *,
        creator: str | None = None,
        require_signed: bool = True,
        allowed_origins: tuple[str, ...] = (),
    ) -> str:
        """Put a video into the account and give its uid; `duration` is in seconds. Raises ValueError for a state."""
        _check_state(state)
        values = {
            "meta": {"name": title},
            "creator": creator,
            "require_signed": require_signed,
            "allowed_origins": list(allowed_origins),
            **({"uid": uid} if uid else {}),
        }
        if state == READY:
            values |= {"duration": duration, "width": SAMPLE_WIDTH, "height": SAMPLE_HEIGHT}
        record = self.library.add(**values)
        if state != PENDING:
            self.library.set_state(record["uid"], state, send_hook=False)
        return str(record["uid"])

    def set_state(
        self, uid: str, state: str, error_code: str = "", pct: str | None = None, send_hook: bool = True
    ) -> None:
        """Give a video a state for good; `ready` and `error` send the hook. `pct` is the text of `pctComplete`.

        Raises ValueError for an unknown state and Refusal (404) for an unknown video.
        """
        _check_state(state)
        if pct is not None:
            float(pct)
        self.library.set_state(uid, state, error_code=error_code, pct=pct, send_hook=send_hook)

    def video(self, uid: str) -> dict[str, object]:
        """The video object as the API shows it; raises Refusal (404)."""
        return self.library.shown(self.library.find(uid))

    def set_quota(self, allocated_minutes: int | None = None, queued_limit: int | None = None) -> None:
        """Change the plan: 0 minutes refuses every reservation with 413, a full queue with 429."""
        self.account.set_quota(allocated_minutes=allocated_minutes, queued_limit=queued_limit)

    def create_webhook_secret(self) -> str:
        """Give the webhook a new secret and return it."""
        return self.account.new_webhook_secret()

    def count_minutes(self, uid: str, minutes: float, *, date: str | None = None, country: str = "US") -> None:
        """Add minutes delivered to a UTC day (YYYY-MM-DD), today by default."""
        analytics.count(self.context.store, uid, minutes, date=date, country=country)

    def resend_hook(self, uid: str) -> None:
        self.hooks.send(self.video(uid))


def _check_state(state: str) -> None:
    if state not in STATES:
        raise ValueError(f"state: one of {', '.join(STATES)}, not {state!r}")
