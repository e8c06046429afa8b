from courses.services.enrollments import end_enrollment, end_right, enroll

__all__ = ["end_enrollment", "end_right", "enroll"]
