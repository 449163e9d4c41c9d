using Portal.App.Access;
using Portal.Engine;
using Portal.Kernel;

namespace Portal.App.Templates;

/// <summary>A release of Debian, and whether it can be built now.</summary>
/// <param name="Fetchable">Whether it is where the portal's machine has its own packages from.</param>
public sealed record ReleaseRow(DebianRelease Release, bool Fetchable);

/// <summary>Says which releases of Debian can be built. Asks the network, and remembers the answer for some minutes.</summary>
public static class ListReleases
{
    public sealed record Request;

    public sealed class Handler(AccessRules access, IImageWorkshop workshop)
    {
        public async Task<Result<IReadOnlyList<ReleaseRow>>> HandleAsync(Request request, Actor actor, CancellationToken ct)
        {
            if (access.Check(actor, Permission.ManageTemplates) is { } refusal)
            {
                return refusal;
            }

            var rows = await Task.WhenAll(BuildTemplate.Releases.Select(async r => new ReleaseRow(r, await workshop.HasDebianAsync(r.Codename, ct))));
            return Result<IReadOnlyList<ReleaseRow>>.Of(rows);
        }
    }
}
