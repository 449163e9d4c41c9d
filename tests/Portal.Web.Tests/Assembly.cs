using Portal.Testing.Postgres;

[assembly: AssemblyFixture(typeof(PostgresFixture))]
