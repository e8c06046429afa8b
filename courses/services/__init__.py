from courses.services.enrollments import end_enrollment, enroll

__all__ = ["end_enrollment", "enroll"]
