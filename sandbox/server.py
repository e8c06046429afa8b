import threading
from typing import Any, Self

from sandbox import control
from sandbox.app import create_app, secrets_of
from sandbox.bunny.library import BunnySandbox
from sandbox.calls import Calls
from sandbox.cloudflare.stand_in import CloudflareSandbox
from sandbox.config import SandboxConfig
from sandbox.context import SandboxContext, WebhookTargets
from sandbox.deliveries import Deliveries
from sandbox.faults import Faults
from sandbox.http_server import LoopbackServer, refuse_other_than_loopback
from sandbox.mail import Mailbox, MailSink
from sandbox.store import Store
from sandbox.stripe import StripeSandbox
from sandbox.vdocipher import otp
from sandbox.vdocipher.library import READY, SAMPLE_LENGTH_S, Library

STOP_TIMEOUT_S = 5.0


class Sandbox:
    """One running set of stand-ins, on threads of this process.

    with Sandbox() as sandbox:
        requests.get(sandbox.vdocipher_api_url + "/videos", ...)
    """

    def __init__(self, config: SandboxConfig | None = None) -> None:
        """Prepare a sandbox; raises ValueError when the configured host is not a loopback address."""
        self.config = config or SandboxConfig()
        refuse_other_than_loopback(self.config.host)
        state_dir = self.config.state_dir
        store = Store(state_dir / "sandbox.db" if state_dir else None)
        faults = Faults()
        webhooks = WebhookTargets()
        webhooks.configure(self.config)
        self.context = SandboxContext(self.config, store, faults, Deliveries(faults), webhooks)
        self.stripe = StripeSandbox(self.context)
        self.cloudflare = CloudflareSandbox(self.context)
        self.bunny = BunnySandbox(self.context)
        self._library = Library(self.context)
        self._mailbox = Mailbox(store)
        self._calls = Calls(lambda: secrets_of(self.context))
        self._mail_sink: MailSink | None = None
        self._server: LoopbackServer | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> Self:
        """Bind both ports and serve; raises OSError when a port is taken."""
        config = self.config
        self._mail_sink = MailSink(self._mailbox, config.host, config.smtp_port)
        try:
            app = create_app(
                self.context,
                calls=self._calls,
                mailbox=self._mailbox,
                stripe_sandbox=self.stripe,
                library=self._library,
                cloudflare_sandbox=self.cloudflare,
                bunny_sandbox=self.bunny,
                smtp_address=f"{config.host}:{self.smtp_port}",
            )
            self._server = LoopbackServer(config.host, config.port, app)
            self.context.base_url = f"http://{config.host}:{self._server.server_port}"
            self._mail_sink.start()
        except BaseException:
            self.stop()
            raise
        otp.forget_expired(self.context)
        self._library.start()
        self.cloudflare.start()
        self.bunny.start()
        self.stripe.start()
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), name="sandbox", daemon=True)
        self._thread.start()
        return self

    def stop(self) -> None:
        """Stop serving, end open connections and pending webhooks, and close the state."""
        self.context.deliveries.stop()
        if self._server is not None:
            self._server.close(serving=self._thread is not None)
        if self._thread is not None:
            self._thread.join(timeout=STOP_TIMEOUT_S)
        if self._mail_sink is not None:
            self._mail_sink.close()
        self._library.stop()
        self.cloudflare.stop()
        self.bunny.stop()
        self.stripe.close()
        self.context.deliveries.drain(STOP_TIMEOUT_S)
        self.context.store.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *exc_info: object) -> None:
        self.stop()

    @property
    def url(self) -> str:
        return self.context.base_url

    @property
    def smtp_port(self) -> int:
        if self._mail_sink is None:
            raise RuntimeError("The sandbox has not been started.")
        return self._mail_sink.port

    @property
    def stripe_url(self) -> str:
        return f"{self.url}/stripe"

    @property
    def vdocipher_api_url(self) -> str:
        return f"{self.url}/vdocipher/api"

    @property
    def vdocipher_player_url(self) -> str:
        return f"{self.url}/vdocipher/player/v2/"

    @property
    def cloudflare_account_id(self) -> str:
        return self.config.cloudflare_account_id

    @property
    def cloudflare_api_url(self) -> str:
        return f"{self.url}/cloudflare/client/v4"

    @property
    def cloudflare_playback_url(self) -> str:
        return self.cloudflare.library.playback_url

    @property
    def cloudflare_player_script_url(self) -> str:
        return f"{self.url}/cloudflare/embed/sdk.latest.js"

    @property
    def cloudflare_signing_key(self) -> str:
        """The base64 JWK of the account's first key."""
        return self.cloudflare.account.signing_key

    @property
    def bunny_url(self) -> str:
        """The API, and the tus door under `/tusupload`."""
        return f"{self.url}/bunny"

    @property
    def bunny_player_url(self) -> str:
        return f"{self.url}/bunny/embed"

    @property
    def bunny_player_script_url(self) -> str:
        return f"{self.url}/bunny/playerjs/playerjs.js"

    def reset(self) -> None:
        """Forget state, faults, calls and mail; webhooks go where they did at the start."""
        control.forget_everything(self.context, self._calls)

    def fault(self, **values: Any) -> None:
        """Set a fault, as `POST /_control/faults` does; raises InvalidFault."""
        self.context.faults.add(values)

    def calls(self, service: str | None = None) -> list[dict[str, Any]]:
        """What was asked, oldest first: {service, method, path, query, headers, body, status, fault}."""
        return self._calls.list(service)

    def messages(self) -> list[dict[str, Any]]:
        """The mail taken so far, newest first: {id, from, to, subject, text, html, received_at}."""
        return self._mailbox.messages()

    def add_video(
        self, title: str = "Sample", status: str = READY, length: int = SAMPLE_LENGTH_S, id: str | None = None
    ) -> str:
        """Put a video into the VdoCipher account and give its id; `length` is in seconds."""
        return self._library.add(title=title, status=status, length_s=length, video_id=id)

    def set_video_status(self, id: str, word: str, send_hook: bool = True) -> None:
        """Give a video one of VdoCipher's status words; `ready` sends its hook. Raises UnknownVideo."""
        self._library.set_status(id, word, send_hook=send_hook)
