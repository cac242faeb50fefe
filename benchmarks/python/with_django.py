"""Django's ORM, without the rest of Django.

It has no unit of work: the program knows what is new or changed, and which table is written first. `delete` reads the
rows that point at those it deletes, known or not.
"""

from itertools import count

import django
from django.conf import settings


class System:
    def __init__(self, place):
        if place.backend == "sqlite":
            database = {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}
        else:
            database = {"ENGINE": "django.db.backends.postgresql", "NAME": place.database, "USER": place.user}
            database |= {"HOST": place.socket, "PORT": place.port}
        settings.configure(DATABASES={"default": database}, INSTALLED_APPS=["django_models"])
        django.setup()
        # Models want the settings.
        from django_models.models import Post, User

        self.user, self.post, self.users = User, Post, User.objects

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

    def commit_graph(self, meter):
        meter.measure_once(lambda: self.committed(meter.rows), self.between(meter))

    def commit_changes(self, meter):
        from django.db import transaction

        users, rounds = list(self.users.all()), count()

        def change():
            turn = next(rounds)
            for n, user in enumerate(users):
                user.hair_color = f"color {turn:08} of {n}"
            with transaction.atomic():
                # All in one statement take several times as long.
                self.users.bulk_update(users, ["hair_color"], batch_size=100)

        meter.measure(change, self.between(meter))

    def delete_graph(self, meter):
        from django.db import transaction

        def delete(users, _posts):
            with transaction.atomic():
                self.users.filter(pk__in=[user.pk for user in users]).delete()

        meter.measure_once(delete, self.between(meter), lambda: self.committed(meter.rows))

    def committed(self, users):
        """Users and ten posts of each."""
        from django.db import transaction

        with transaction.atomic():
            new = [self.user(name=f"User {n}", hair_color="hair_color") for n in range(users)]
            users = self.users.bulk_create(new)
            of_each = [(n, user, m) for n, user in enumerate(users) for m in range(10)]
            new = [self.post(user=user, title=f"Post {m} by user {n}", body="body") for n, user, m in of_each]
            return users, self.post.objects.bulk_create(new)

    def between(self, meter):
        return lambda: [self.execute(statement) for statement in meter.between]
