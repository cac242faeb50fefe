"""SQLAlchemy's ORM: a session per operation, on one connection."""

from itertools import count

from sqlalchemy import URL, ForeignKey, create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship, selectinload
from sqlalchemy.pool import StaticPool


class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    hair_color: Mapped[str | None]
    posts: Mapped[list["Post"]] = relationship(cascade="all, delete-orphan")


class Post(Base):
    __tablename__ = "posts"
    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    title: Mapped[str]
    body: Mapped[str | None]
    comments: Mapped[list["Comment"]] = relationship()


class Comment(Base):
    __tablename__ = "comments"
    id: Mapped[int] = mapped_column(primary_key=True)
    post_id: Mapped[int] = mapped_column(ForeignKey("posts.id"))
    text: Mapped[str]


class System:
    def __init__(self, place):
        if place.backend == "sqlite":
            url = URL.create("sqlite")
        else:
            socket = {"host": place.socket, "port": place.port}
            url = URL.create("postgresql+psycopg", place.user, database=place.database, query=socket)
        # Reading needs no transaction: nobody else has one.
        self.engine = create_engine(url, poolclass=StaticPool, isolation_level="AUTOCOMMIT")
        level = "SERIALIZABLE" if place.backend == "sqlite" else "READ COMMITTED"
        self.writing = self.engine.execution_options(isolation_level=level)
        if place.backend == "sqlite":
            # As with everybody else.
            self.execute("PRAGMA foreign_keys = ON")

    def execute(self, sql):
        with self.engine.connect() as connection:
            connection.exec_driver_sql(sql)

    def load(self, *options):
        with Session(self.engine) as session:
            return session.scalars(select(User).options(*options)).all()

    def trivial_query(self, meter):
        meter.measure(lambda: self.load())

    def has_many(self, meter):
        meter.measure(lambda: self.load(selectinload(User.posts)))

    def three_levels(self, meter):
        meter.measure(lambda: self.load(selectinload(User.posts).selectinload(Post.comments)))

    def commit_graph(self, meter):
        meter.measure_once(lambda: self.committed(meter.rows), self.between(meter))

    def commit_changes(self, meter):
        session, rounds = self.session(), count()
        users = session.scalars(select(User)).all()

        def change():
            turn = next(rounds)
            for n, user in enumerate(users):
                user.hair_color = f"color {turn:08} of {n}"
            session.commit()

        session.commit()
        meter.measure(change, self.between(meter))

    def delete_graph(self, meter):
        def delete(session, users):
            for user in users:
                session.delete(user)
            session.commit()

        meter.measure_once(delete, self.between(meter), lambda: self.committed(meter.rows))

    def session(self):
        # Nobody reads what they have written once more.
        return Session(self.writing, expire_on_commit=False)

    def committed(self, users):
        """A session, and users in it with ten posts each."""
        session = self.session()
        posts = lambda user: [Post(title=f"Post {n} by user {user}", body="body") for n in range(10)]
        users = [User(name=f"User {n}", hair_color="hair_color", posts=posts(n)) for n in range(users)]
        session.add_all(users)
        session.commit()
        return session, users

    def between(self, meter):
        return lambda: [self.execute(statement) for statement in meter.between]
