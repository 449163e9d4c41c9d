using Portal.Testing.Postgres;
using Xunit;

namespace Portal.Testing.Worlds;

/// <summary>One <see cref="PortalWorld"/> for the tests of a class, which run one after the other.</summary>
public sealed class WorldFixture(PostgresFixture postgres) : IAsyncLifetime
{
    public PortalWorld World { get; private set; } = null!;

    public async ValueTask InitializeAsync() => World = await PortalWorld.CreateAsync(postgres, CancellationToken.None);

    public ValueTask DisposeAsync() => World.DisposeAsync();
}
