from django.apps import AppConfig


class PeopleConfig(AppConfig):
    name = "host_project.people"
