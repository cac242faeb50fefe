"""SQLAlchemy's ORM: a session per operation, on one connection."""

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
    posts: Mapped[list["Post"]] = relationship()


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
