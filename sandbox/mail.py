import email
import email.policy
import logging
import re
import socket
import uuid
from datetime import UTC, datetime
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from flask import Blueprint, Response, abort, jsonify, render_template
from markupsafe import Markup, escape

from sandbox.store import Store

COLLECTION = "mail.messages"
LINK = re.compile(r"https?://[^\s<>\"']+[^\s<>\"'.,;:!?)\]]")


class Mailbox:
    """Every message the SMTP sink has taken; also the sink's handler."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        content = envelope.content
        raw = content if isinstance(content, bytes) else (content or "").encode()
        message = email.message_from_bytes(raw, policy=email.policy.default)
        record = {
            "id": uuid.uuid4().hex,
            "from": str(message["From"] or envelope.mail_from or ""),
            "to": list(envelope.rcpt_tos),
            "subject": str(message["Subject"] or ""),
            "text": _part(message, "plain"),
            "html": _part(message, "html"),
            "received_at": datetime.now(UTC).isoformat(),
        }
        self._store.put(COLLECTION, str(record["id"]), record)
        return "250 Message accepted for delivery"

    def messages(self) -> list[dict[str, Any]]:
        """{id, from, to, subject, text, html, received_at} of each message, newest first."""
        return self._store.values(COLLECTION)[::-1]

    def message(self, message_id: str) -> dict[str, Any] | None:
        return self._store.get(COLLECTION, message_id)


class MailSink(Controller):
    """An SMTP server on a thread of its own; a port of 0 means any free one, known after `start()`."""

    def __init__(self, mailbox: Mailbox, host: str, port: int) -> None:
        logging.getLogger("mail.log").setLevel(logging.WARNING)
        self._socket = socket.create_server((host, port))
        super().__init__(mailbox, hostname=host, port=self._socket.getsockname()[1])

    def _create_server(self) -> Any:
        return self.loop.create_server(self._factory_invoker, sock=self._socket)

    def close(self) -> None:
        """Stop and release the port; safe when it never started."""
        if self._thread is not None:
            self.stop(no_assert=True)
        self._socket.close()


def create_blueprint(mailbox: Mailbox) -> Blueprint:
    """The inbox pages under /mail and the messages as JSON."""
    blueprint = Blueprint("mail", __name__, template_folder="templates")

    @blueprint.get("/mail")
    def inbox() -> str:
        return render_template("inbox.html", messages=mailbox.messages())

    @blueprint.get("/mail/messages.json")
    def messages() -> Response:
        return jsonify(mailbox.messages())

    @blueprint.get("/mail/<message_id>")
    def read(message_id: str) -> str:
        message = mailbox.message(message_id) or abort(404)
        return render_template("message.html", message=message, text=with_links(message["text"]))

    @blueprint.get("/mail/<message_id>/html")
    def html(message_id: str) -> Response:
        message = mailbox.message(message_id) or abort(404)
        response = Response(f'<base target="_blank">{message["html"]}', content_type="text/html; charset=utf-8")
        response.headers["Content-Security-Policy"] = "sandbox allow-popups allow-popups-to-escape-sandbox"
        return response

    return blueprint


def with_links(text: str) -> Markup:
    """Plain text with its addresses as links, everything else escaped."""
    pieces: list[str] = []
    end = 0
    for match in LINK.finditer(text):
        address = escape(match.group())
        pieces += [escape(text[end : match.start()]), Markup(f'<a href="{address}">{address}</a>')]
        end = match.end()
    return Markup("").join([*pieces, escape(text[end:])])


def _part(message: EmailMessage, kind: str) -> str:
    body = message.get_body(preferencelist=(kind,))
    if body is None:
        return ""
    try:
        return str(body.get_content())
    except LookupError:
        payload = body.get_payload(decode=True)
        return payload.decode("latin-1") if isinstance(payload, bytes) else str(payload)
