import smtplib
from email.message import EmailMessage

import requests


def send(sandbox, **overrides):
    values = {"subject": "Grüße", "to": ["ada@example.com"], "text": "Open http://127.0.0.1/verify?token=a.b now."}
    values |= overrides
    message = EmailMessage()
    message["From"] = "11Tutors <school@example.com>"
    message["To"] = ", ".join(values["to"])
    message["Subject"] = values["subject"]
    message.set_content(values["text"])
    if "html" in values:
        message.add_alternative(values["html"], subtype="html")
    with smtplib.SMTP("127.0.0.1", sandbox.smtp_port, timeout=5) as smtp:
        smtp.send_message(message)


def inbox_json(sandbox):
    return requests.get(sandbox.url + "/mail/messages.json", timeout=5).json()


def test_a_message_arrives_with_both_its_parts(sandbox):
    send(sandbox, html='<p>Open <a href="http://127.0.0.1/x">it</a></p>', to=["ada@example.com", "bob@example.com"])
    [message] = inbox_json(sandbox)
    assert set(message) == {"id", "from", "to", "subject", "text", "html", "received_at"}
    assert message["from"] == "11Tutors <school@example.com>"
    assert message["to"] == ["ada@example.com", "bob@example.com"]
    assert message["subject"] == "Grüße"
    assert message["text"].strip() == "Open http://127.0.0.1/verify?token=a.b now."
    assert 'href="http://127.0.0.1/x"' in message["html"]
    assert sandbox.messages() == [message]


def test_the_newest_message_comes_first(sandbox):
    for subject in ("one", "two"):
        send(sandbox, subject=subject)
    assert [message["subject"] for message in inbox_json(sandbox)] == ["two", "one"]


def test_the_empty_inbox_says_so(sandbox):
    assert "No mail yet" in requests.get(sandbox.url + "/mail", timeout=5).text


def test_the_inbox_leads_to_a_message_whose_links_can_be_clicked(sandbox):
    send(sandbox)
    message_id = inbox_json(sandbox)[0]["id"]
    assert f'href="/mail/{message_id}"' in requests.get(sandbox.url + "/mail", timeout=5).text
    page = requests.get(f"{sandbox.url}/mail/{message_id}", timeout=5).text
    assert '<a href="http://127.0.0.1/verify?token=a.b">http://127.0.0.1/verify?token=a.b</a> now.' in page


def test_markup_in_a_plain_text_is_shown_and_not_run(sandbox):
    send(sandbox, text="<script>alert(1)</script> http://127.0.0.1/x <i>", subject="<b>x</b>")
    message_id = inbox_json(sandbox)[0]["id"]
    page = requests.get(f"{sandbox.url}/mail/{message_id}", timeout=5).text
    assert "&lt;script&gt;alert(1)" in page
    assert "<script>alert(1)" not in page
    assert "&lt;i&gt;" in page
    assert "<b>x</b>" not in page


def test_html_is_shown_in_a_frame_that_runs_no_scripts(sandbox):
    send(sandbox, html="<script>alert(1)</script><p>Hi</p>")
    message_id = inbox_json(sandbox)[0]["id"]
    answer = requests.get(f"{sandbox.url}/mail/{message_id}/html", timeout=5)
    assert "<p>Hi</p>" in answer.text
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("sandbox")
    assert "allow-scripts" not in policy


def test_an_unknown_message_is_not_found(sandbox):
    assert requests.get(sandbox.url + "/mail/nothing", timeout=5).status_code == 404


def test_a_message_in_an_unknown_character_set_is_kept(sandbox):
    raw = b"From: a@example.com\r\nSubject: odd\r\nContent-Type: text/plain; charset=klingon\r\n\r\nhello\r\n"
    with smtplib.SMTP("127.0.0.1", sandbox.smtp_port, timeout=5) as smtp:
        smtp.sendmail("a@example.com", ["b@example.com"], raw)
    assert inbox_json(sandbox)[0]["text"].strip() == "hello"
