"""Alembic's environment; the engine comes from the broker, never from a file."""

from alembic import context

from broker.store.schema import metadata

with context.config.attributes["engine"].connect() as opened:
    connection = opened.execution_options(isolation_level="AUTOCOMMIT")
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("BEGIN")
        connection.exec_driver_sql("SELECT pg_advisory_xact_lock(7011)")  # two nodes start at once: one migrates
    else:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    try:
        context.configure(connection=connection, target_metadata=metadata, render_as_batch=True)
        context.run_migrations()
        connection.exec_driver_sql("COMMIT")
    except BaseException:
        connection.exec_driver_sql("ROLLBACK")
        raise
