import json

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Column, Connection, MetaData, String, create_engine, make_url, text
from sqlalchemy.schema import CreateTable

from vsdk.store import migrate
from vsdk.store.sql import SqlStore
from vsdk.store.tables import metadata


def differences(connection: Connection, wanted: MetaData = metadata) -> list[object]:
    return list(compare_metadata(MigrationContext.configure(connection), wanted))


def test_from_the_first_version_up_the_tables_become_those_of_the_code() -> None:
    with create_engine("sqlite://").begin() as connection:
        migrate.upgrade(connection, "0001")
        migrate.upgrade(connection)
        assert differences(connection) == []
        changed = MetaData()
        for table in metadata.sorted_tables:
            table.to_metadata(changed)
        changed.tables["visit"].append_column(Column("forgotten", String))
        assert len(differences(connection, changed)) == 1


async def test_opening_twice_changes_nothing(url: str) -> None:
    for _ in range(2):
        store = SqlStore(url)
        await store.open()
        await store.close()
    with create_engine(url.replace("+aiosqlite", "")).connect() as connection:
        assert differences(connection) == []


def test_an_upgrade_that_is_rolled_back_leaves_an_empty_database(url: str) -> None:
    engine = create_engine(url.replace("+aiosqlite", ""))
    with engine.connect() as connection:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        migrate.upgrade(connection)
        connection.rollback()
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM sqlite_master").scalar() == 0


def test_the_tables_can_be_made_on_postgresql() -> None:
    for table in metadata.sorted_tables:
        statement = str(CreateTable(table).compile(dialect=make_url("postgresql+psycopg://").get_dialect()()))
        assert "TIMESTAMP WITH TIME ZONE" in statement or table.name in ("join_link", "appointment_key")
        assert "DATETIME" not in statement


def test_appointments_of_the_first_version_are_found_by_their_people() -> None:
    people = [
        {"role": "patient", "reference": "Patient/17"},
        {"role": "practitioner", "reference": "#inside"},
        {"role": "companion", "reference": "RelatedPerson/2"},
    ]
    row = "'p', 'a1', 1, '2026-03-02', 'R4', '{}', 'booked', '2026-03-02', '2026-03-02', :people, 1"
    with create_engine("sqlite://").begin() as connection:
        migrate.upgrade(connection, "0001")
        insert = text(f"INSERT INTO appointment VALUES ({row})")
        connection.execute(insert, {"people": json.dumps(people)})
        migrate.upgrade(connection)
        keys = connection.execute(
            text("SELECT practice_id, kind, value, appointment_id FROM appointment_key")
        )
        assert [tuple(key) for key in keys] == [("p", "patient", "Patient/17", "a1")]
