import json

import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

from users.tests.factories import PASSWORD, make_user

pytestmark = pytest.mark.browser


def press(site, *keys: str) -> None:
    ActionChains(site.browser).send_keys(*keys).perform()


def focused(site, script: str):
    return site.browser.execute_script(f"const focused = document.activeElement; return {script}")


def tab_to(site, name: str) -> None:
    for _ in range(20):
        press(site, Keys.TAB)
        if focused(site, "focused.name || focused.textContent.trim()") == name:
            assert focused(site, "getComputedStyle(focused).outlineStyle") != "none", "the focus cannot be seen"
            return
    raise AssertionError(f"{name} is not reached by the Tab key")


def test_the_keyboard_alone_signs_in(site, sandbox):
    student = make_user(first_name="Grace")
    site.open("/login")
    site.find("[name=email]")

    press(site, Keys.TAB)
    assert focused(site, "focused.textContent") == "Skip to content"
    tab_to(site, "email")
    press(site, student.email)
    tab_to(site, "password")
    press(site, PASSWORD, Keys.ENTER)

    site.see("Hello, Grace")
    press(site, Keys.TAB, Keys.ENTER)
    assert focused(site, "focused.id") == "main"


def test_wrong_credentials_are_told_without_naming_which(site, sandbox):
    student = make_user()
    site.open("/login")
    site.fill(email=student.email, password="not the password")
    site.submit()

    assert site.find("[data-form-error]").text
    site.wait_until_at("/login")
    assert site.find("#login button[type=submit]").is_enabled()


def test_empty_fields_are_named_beside_them(site, sandbox):
    site.open("/login")
    site.submit()

    assert site.find("#email-error").text
    assert focused(site, "focused.id") == "email"
    assert site.find("#email").get_attribute("aria-describedby") == "email-error"


@pytest.mark.parametrize("address", ["//evil.example/x", "https://evil.example/", "javascript:alert(1)", "http:evil"])
def test_signing_in_leads_to_pages_of_ours_alone(site, sandbox, address):
    student = make_user()
    site.open(f"/login?next={address}")
    site.fill(email=student.email, password=PASSWORD)
    site.submit()

    site.wait_for(lambda: "/login" not in site.browser.current_url, "the page after signing in")
    assert site.browser.current_url.startswith(site.url)


def test_an_old_access_token_is_renewed_and_both_tabs_stay_signed_in(site, sandbox):
    site.sign_in(make_user(first_name="Alan"))
    site.see("Hello, Alan")
    read = "return JSON.parse(localStorage.getItem('11tutors.tokens'))"
    before = site.browser.execute_script(read)
    stale = json.dumps(before | {"access": before["access"][:-4] + "AAAA"})
    site.browser.execute_script("localStorage.setItem('11tutors.tokens', arguments[0])", stale)
    first = site.browser.current_window_handle
    site.browser.switch_to.new_window("tab")
    second = site.browser.current_window_handle
    try:
        # Both tabs find the stale token at once; the refresh token works only for the first of them.
        for tab in (first, second):
            site.browser.switch_to.window(tab)
            site.browser.execute_script("location.assign(arguments[0])", f"{site.url}/dashboard")
        for tab in (first, second):
            site.browser.switch_to.window(tab)
            site.see("Hello, Alan")
        after = site.browser.execute_script(read)
        assert after["refresh"] != before["refresh"]
    finally:
        site.browser.switch_to.window(second)
        site.browser.close()
        site.browser.switch_to.window(first)


def test_signing_out_ends_the_refresh_token(site, sandbox):
    site.sign_in(make_user())
    site.see("My courses")
    refresh = site.browser.execute_script("return JSON.parse(localStorage.getItem('11tutors.tokens')).refresh")

    site.find("#sign-out").click()

    site.find('.site-nav a[href="/login"]')
    assert site.browser.execute_script("return localStorage.getItem('11tutors.tokens')") is None
    status = site.browser.execute_async_script(
        """const [refresh, done] = arguments;
        fetch("/api/users/token/refresh/", {method: "POST", headers: {"Content-Type": "application/json"},
            body: JSON.stringify({refresh})}).then((answer) => done(answer.status))""",
        refresh,
    )
    assert status == 401


def test_the_profile_is_saved_and_its_errors_shown_beside_the_field(site, sandbox):
    make_user(username="taken")
    student = make_user(first_name="Rosa")
    site.sign_in(student)
    site.see("Hello, Rosa")

    site.fill(first_name="Rosalind")
    site.find("#profile button[type=submit]").click()
    site.see("Hello, Rosalind")
    student.refresh_from_db()
    assert student.first_name == "Rosalind"

    site.fill(username="taken")
    site.find("#profile button[type=submit]").click()
    assert site.find("#username-error").text
