import pytest

from courses.tests.factories import make_course, make_lesson, make_university
from users.tests.factories import make_user

pytestmark = pytest.mark.browser


def titles(site) -> list[str]:
    script = "return [...document.querySelectorAll('#cards h3')].map((title) => title.textContent)"
    return site.browser.execute_script(script)


def test_search_and_filters_live_in_the_address(site, sandbox):
    northfield = make_university(name="Northfield", slug="northfield")
    make_course(title="Algebra", university=northfield, price_minor=0)
    make_course(title="Botany", university=northfield, level="advanced")
    make_course(title="Calculus")

    site.open("/")
    site.see("3 courses")
    site.find("select[name=university] option[value=northfield]").click()
    site.see("2 courses")
    site.find("input[name=free]").click()
    site.see("1 course")
    assert titles(site) == ["Algebra"]
    assert "university=northfield" in site.browser.current_url
    assert "free=true" in site.browser.current_url

    site.browser.refresh()
    site.see("1 course")
    assert site.find("input[name=free]").is_selected()
    site.browser.back()
    site.see("2 courses")
    assert not site.find("input[name=free]").is_selected()

    site.open("/")
    site.fill(search="calc")
    site.submit()
    site.wait_for(lambda: titles(site) == ["Calculus"], "the one that was searched")


def test_a_long_catalogue_has_pages(site, sandbox):
    university = make_university()
    for number in range(23):
        make_course(title=f"Course {number:02}", university=university)

    site.open("/")
    site.see("23 courses")
    assert len(titles(site)) == 20
    site.click("Next →")

    site.wait_for(lambda: titles(site) == ["Course 20", "Course 21", "Course 22"], "the second page")
    assert "page=2" in site.browser.current_url
    site.click("← Previous")
    site.wait_for(lambda: len(titles(site)) == 20, "the first page")


def test_a_free_course_is_joined_at_once(site, sandbox):
    course = make_course(title="Logic", slug="logic", price_minor=0)
    make_lesson(course=course, slug="true-or-false")
    student = make_user()
    site.sign_in(student)

    site.open("/courses/logic")
    site.click("Join for free")

    site.see("This course is yours")
    assert student.enrollments.filter(course=course, is_active=True).count() == 1


def test_an_unknown_course_is_told_apart_from_a_broken_page(site, sandbox):
    site.open("/courses/no-such-course")

    site.see("This course does not exist")
