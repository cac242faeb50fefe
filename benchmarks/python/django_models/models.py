"""Django's models."""

from django.db import models


class Model(models.Model):
    id = models.AutoField(primary_key=True)

    class Meta:
        abstract = True


class User(Model):
    name = models.TextField()
    hair_color = models.TextField(null=True)

    class Meta(Model.Meta):
        abstract = False
        db_table = "users"


class Post(Model):
    user = models.ForeignKey(User, models.CASCADE, related_name="posts")
    title = models.TextField()
    body = models.TextField(null=True)

    class Meta(Model.Meta):
        abstract = False
        db_table = "posts"


class Comment(Model):
    post = models.ForeignKey(Post, models.CASCADE, related_name="comments")
    text = models.TextField()

    class Meta(Model.Meta):
        abstract = False
        db_table = "comments"
