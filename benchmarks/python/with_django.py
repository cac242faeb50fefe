"""Django's ORM, without the rest of Django."""

import django
from django.conf import settings


class System:
    def __init__(self, place):
        if place.backend == "sqlite":
            database = {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}
        else:
            database = {"ENGINE": "django.db.backends.postgresql", "NAME": place.database, "USER": place.user}
            database |= {"HOST": place.socket, "PORT": place.port}
        settings.configure(DATABASES={"default": database})
        django.setup()
        # Models want the settings.
        from django_models import User

        self.users = User.objects

    def execute(self, sql):
        from django.db import connection

        with connection.cursor() as cursor:
            cursor.execute(sql)

    def trivial_query(self, meter):
        meter.measure(lambda: list(self.users.all()))

    def has_many(self, meter):
        meter.measure(lambda: list(self.users.prefetch_related("posts")))

    def three_levels(self, meter):
        meter.measure(lambda: list(self.users.prefetch_related("posts__comments")))
